package dialplans

import (
	"embed"
	"io/fs"
)

//go:embed examples
var examples embed.FS

//go:embed health/main.lua
var health []byte

// Examples are the plans that come with Dialyard, as PLAN/FILE.lua.
func Examples() fs.FS {
	sub, err := fs.Sub(examples, "examples")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return sub
}

// Health is the bundle of the built-in plan that answers the monitor's probes.
func Health() map[string][]byte {
	return map[string][]byte{mainFile: health}
}
