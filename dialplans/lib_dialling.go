package dialplans

import (
	lua "github.com/yuin/gopher-lua"

	"dialyard/proto"
)

// dialling is the arguments of one call:dial as they are read.
type dialling struct {
	options
	base     *proto.DialLeg // what all legs have of the options
	strategy string         // empty unless the script said
	total    uint32         // ms
}

// newDialling reads the options at an argument.
func newDialling(L *lua.LState, n int) *dialling {
	d := &dialling{options: options{L}, base: &proto.DialLeg{}}
	d.given(n, "dial options", "dialyard.DialOptions", d.option)
	return d
}

// option takes one option of the dial.
func (d *dialling) option(name string, v lua.LValue) {
	switch name {
	case "strategy":
		d.strategy = pick(d.options, name, v, map[string]string{"parallel": "parallel", "serial": "serial"})
	case "total":
		d.total = d.seconds(name, v, totalRange)
	default:
		d.legOption(d.base, name, v)
	}
}

// legOption takes one option that a leg may have.
func (d *dialling) legOption(leg *proto.DialLeg, name string, v lua.LValue) {
	switch name {
	case "timeout":
		leg.RingMs = d.seconds(name, v, ringRange)
	case "delay":
		leg.DelayMs = d.seconds(name, v, delayRange)
	case "max":
		leg.AnsweredMs = d.seconds(name, v, answeredRange)
	case "from":
		d.from(leg, d.table(name, v))
	case "headers":
		leg.Headers = headersOf(d.lua, d.table(name, v), checkHeader)
		check(d.lua, checkLegHeaders(leg.Headers))
	case "redirect":
		leg.Redirects = pick(d.options, name, v, map[string]proto.Redirects{
			"follow": proto.Redirects_REDIRECTS_FOLLOW, "return": proto.Redirects_REDIRECTS_RETURN})
	case "transfer":
		leg.Transfers = pick(d.options, name, v, map[string]proto.Transfers{
			"none": proto.Transfers_TRANSFERS_NONE, "pass": proto.Transfers_TRANSFERS_PASS, "call": proto.Transfers_TRANSFERS_CALL})
	}
}

// from takes the From of a leg.
func (d *dialling) from(leg *proto.DialLeg, t *lua.LTable) {
	d.fields("from", t, fieldNames("dialyard.From"), func(name string, v lua.LValue) {
		switch text := d.text("from."+name, v); name {
		case "name":
			leg.FromName = text
		case "user":
			leg.FromUser = text
		case "host":
			leg.FromHost = text
		}
	})
	check(d.lua, checkFrom(leg))
}

// targets reads the targets at an argument: one or a list.
func (d *dialling) targets(n int) []*proto.DialGroup {
	list, ok := d.lua.Get(n).(*lua.LTable)
	if !ok {
		groups := d.legs(lua.LString(d.lua.CheckString(n)))
		if len(groups) > 1 && d.strategy == "parallel" {
			d.noBar()
		}
		return groups
	}
	if list.RawGetString("target") != lua.LNil {
		return d.legs(list)
	}
	count := list.Len()
	if count < 1 || count > maxLegs {
		d.lua.RaiseError("%d targets given, a dial has 1 to %d", count, maxLegs)
	}
	var serial []*proto.DialGroup
	parallel := &proto.DialGroup{}
	for i := range count {
		groups := d.legs(list.RawGetInt(i + 1))
		if serial = append(serial, groups...); d.strategy == "serial" {
			continue
		}
		if len(groups) > 1 {
			d.noBar()
		}
		parallel.Legs = append(parallel.Legs, groups[0].Legs...)
	}
	if d.strategy == "serial" {
		return serial
	}
	return []*proto.DialGroup{parallel}
}

func (d *dialling) noBar() {
	d.lua.RaiseError(`a dial string with | cannot be called in parallel; say strategy = "serial"`)
}

// legs are the legs of one element: those of a dial string, or the one that a
// table describes.
func (d *dialling) legs(element lua.LValue) []*proto.DialGroup {
	switch element := element.(type) {
	case lua.LString:
		pay(d.lua, len(element))
		groups, err := parseDialString(string(element), runOf(d.lua).facts.GetRuriUser(), d.base)
		check(d.lua, err)
		return groups
	case *lua.LTable:
		leg := likeLeg(d.base)
		d.fields("target", element, fieldNames("dialyard.Target"), func(name string, v lua.LValue) {
			if name != "target" {
				d.legOption(leg, name, v)
			}
		})
		target, err := dialTarget(d.text("target", element.RawGetString("target")))
		check(d.lua, err)
		leg.Target = target
		return []*proto.DialGroup{{Legs: []*proto.DialLeg{leg}}}
	}
	d.lua.RaiseError("a target is a %s, not a string or a table", element.Type())
	return nil
}
