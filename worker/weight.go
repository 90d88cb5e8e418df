package worker

import "dialyard/proto"

// weightOfOrder is about how many octets an order has on the wire: what can be
// large in it, at the cost of a few additions.
func weightOfOrder(o *proto.Order) int {
	switch o := o.Is.(type) {
	case *proto.Order_Start:
		return len(o.Start.GetFacts().GetHeaders()) + len(o.Start.GetFacts().GetBody())
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
		for _, h := range r.Instruction.GetReject().GetHeaders() {
			n += len(h.Name) + len(h.Value)
		}
		for _, t := range r.Instruction.GetRedirect().GetTargets() {
			n += len(t)
		}
	case *proto.Report_Log:
		n = len(r.Log.Text)
	case *proto.Report_Done:
		n = len(r.Done.GetError().GetMessage()) + len(r.Done.GetError().GetStack())
	}
	return n
}
