package dialplans

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

var dnsFunctions = map[string]lua.LGFunction{"dns.lookup": dnsLookup, "enum.lookup": enumLookup}

// recordTypes are the types of records that can be asked for.
var recordTypes = map[string]string{
	"A": "A", "AAAA": "AAAA", "CNAME": "CNAME", "MX": "MX", "NAPTR": "NAPTR", "PTR": "PTR", "SRV": "SRV", "TXT": "TXT"}

// dnsLookup takes a name that is none as an outcome: names come from callers.
func dnsLookup(L *lua.LState) int {
	name := L.CheckString(1)
	kind, err := choice(strings.ToUpper(L.OptString(2, "A")), recordTypes)
	check(L, err)
	records, err := lookup(L, name, kind)
	if err != nil {
		return pushOutcome(L, nil, err)
	}
	list := L.NewTable()
	for _, r := range records {
		pay(L, lookEvery)
		list.Append(recordTable(L, kind, r))
	}
	return pushOutcome(L, list, nil)
}

// lookup asks for the records of a name.
func lookup(L *lua.LState, name, kind string) ([]*proto.DNSRecord, error) {
	if err := checkDomain(name); err != nil {
		return nil, err
	}
	question := &proto.Lookup{Name: name, Type: kind}
	answer, err := runOf(L).ask(L, &proto.Ask{Is: &proto.Ask_Lookup{Lookup: question}})
	switch found := answer.GetFound(); {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, errNoAnswer
	case len(found.GetRecords()) > maxRecords:
		return nil, errTooLarge
	default:
		return found.GetRecords(), nil
	}
}

// recordTable is a record for the script, with what its type has.
func recordTable(L *lua.LState, kind string, r *proto.DNSRecord) *lua.LTable {
	t := L.NewTable()
	number := func(name string, n uint32) { t.RawSetString(name, lua.LNumber(n)) }
	text := func(name, s string) { t.RawSetString(name, built(L, s)) }
	text("value", r.GetValue())
	number("ttl", r.GetTtlS())
	switch kind {
	case "MX":
		number("priority", r.GetPriority())
	case "SRV":
		number("priority", r.GetPriority())
		number("weight", r.GetWeight())
		number("port", r.GetPort())
	case "NAPTR":
		number("order", r.GetPriority())
		number("preference", r.GetWeight())
		text("flags", r.GetFlags())
		text("service", r.GetService())
		text("regexp", r.GetRegexp())
	}
	return t
}

// enumLookup takes what is no number as an outcome, too.
func enumLookup(L *lua.LState) int {
	number, zone := L.CheckString(1), L.OptString(2, enumZone)
	check(L, checkDomain(zone))
	pay(L, len(number))
	digits, err := enumDigits(number)
	if err != nil {
		return pushOutcome(L, nil, err)
	}
	records, err := lookup(L, enumName(digits, zone), "NAPTR")
	if err != nil {
		return pushOutcome(L, nil, err)
	}
	list := L.NewTable()
	for _, uri := range enumURIs("+"+digits, records, func(cost int) { pay(L, cost) }) {
		list.Append(built(L, uri))
	}
	return pushOutcome(L, list, nil)
}
