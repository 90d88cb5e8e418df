package worker

import "dialyard/proto"

// weightOfOrder is about how many octets an order has on the wire: what can be
// large in it, at the cost of a few additions.
func weightOfOrder(o *proto.Order) (n int) {
	switch o := o.Is.(type) {
	case *proto.Order_Start:
		return len(o.Start.GetFacts().GetHeaders()) + len(o.Start.GetFacts().GetBody())
	case *proto.Order_Result:
		n = weightOfAnswer(o.Result.GetAnswer())
		for _, uri := range o.Result.GetDialled().GetContacts() {
			n += len(uri)
		}
		return n + len(o.Result.GetDialled().GetReason())
	case *proto.Order_Bundle:
		return weightOfBundle(o.Bundle)
	case *proto.Order_Check:
		return weightOfBundle(o.Check.GetBundle())
	}
	return 0
}

func weightOfBundle(b *proto.Bundle) (n int) {
	for _, f := range b.GetFiles() {
		n += len(f.Source)
	}
	return n
}

// weightOfReport is the same for a report.
func weightOfReport(r *proto.Report) (n int) {
	switch r := r.Is.(type) {
	case *proto.Report_Instruction:
		n += weightOfHeaders(r.Instruction.GetReject().GetHeaders())
		for _, t := range r.Instruction.GetRedirect().GetTargets() {
			n += len(t)
		}
		for _, g := range r.Instruction.GetDial().GetGroups() {
			n += weightOfLegs(g.Legs)
		}
		n += weightOfAsk(r.Instruction.GetAsk())
	case *proto.Report_Profiled:
		n = len(r.Profiled.GetHeap()) + len(r.Profiled.GetGoroutines())
	case *proto.Report_Log:
		n = len(r.Log.Text)
	case *proto.Report_Done:
		n = len(r.Done.GetError().GetMessage()) + len(r.Done.GetError().GetStack())
	}
	return n
}

func weightOfLegs(legs []*proto.DialLeg) (n int) {
	for _, leg := range legs {
		n += len(leg.Target) + len(leg.FromName) + len(leg.FromUser) + len(leg.FromHost)
		n += weightOfHeaders(leg.Headers)
	}
	return n
}

func weightOfAsk(a *proto.Ask) int {
	f := a.GetFetch()
	return len(f.GetUrl()) + len(f.GetBody()) + weightOfHeaders(f.GetHeaders()) + len(a.GetKeep().GetValue())
}

func weightOfAnswer(a *proto.Answer) (n int) {
	for _, r := range a.GetFound().GetRecords() {
		n += len(r.Value) + len(r.Regexp) + len(r.Service)
	}
	return n + len(a.GetFetched().GetBody()) + weightOfHeaders(a.GetFetched().GetHeaders()) + len(a.GetKept().GetValue())
}

func weightOfHeaders(headers []*proto.Header) (n int) {
	for _, h := range headers {
		n += len(h.Name) + len(h.Value)
	}
	return n
}
