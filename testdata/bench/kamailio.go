package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

//go:embed kamailio-relay.cfg
var relayConfig []byte

//go:embed kamailio-relay.lua
var relayScript []byte

// relay is a Kamailio that relays calls statefully to the callee, where a Lua script sends them.
type relay struct{ daemon }

// errNoKamailio says that there is nothing to measure beside.
var errNoKamailio = errors.New("kamailio is not installed")

// sharedMemory is what Kamailio may use for its transactions, in MiB. It is taken as it is needed.
const sharedMemory = 2048

// startRelay starts Kamailio with a process for each core. The caller stops it.
func startRelay(ctx context.Context) (*relay, error) {
	binary, err := exec.LookPath("kamailio")
	if err != nil {
		binary = "/usr/sbin/kamailio" // not in everybody's PATH
		if _, err := os.Stat(binary); err != nil {
			return nil, errNoKamailio
		}
	}
	d, err := newDaemon(binary)
	if err != nil {
		return nil, err
	}
	r := &relay{d}
	if err := r.start(ctx); err != nil {
		r.stop()
		return nil, fmt.Errorf("start kamailio: %w", err)
	}
	return r, nil
}

func (r *relay) start(ctx context.Context) (err error) {
	if r.sip, err = freePort(); err != nil {
		return err
	}
	if r.callee, err = freePort(); err != nil {
		return err
	}
	config, script := filepath.Join(r.dir, "relay.cfg"), filepath.Join(r.dir, "relay.lua")
	if err := errors.Join(os.WriteFile(config, relayConfig, 0o600), os.WriteFile(script, relayScript, 0o600)); err != nil {
		return err
	}
	return r.run(ctx, r.ready, "-f", config, "-DD", "-E", "-Y", r.dir,
		"-n", strconv.Itoa(runtime.NumCPU()), "-m", strconv.Itoa(sharedMemory),
		"-A", "LISTEN=udp:"+r.sip, "-A", "CALLEE="+r.callee, "-A", "ROUTING="+strconv.Quote(script))
}

// ready asks for the options: that the script refuses them shows that it runs.
func (r *relay) ready(context.Context) bool {
	conn, err := net.Dial("udp", r.sip)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(4 * pollEvery))
	local := conn.LocalAddr()
	request := strings.Join([]string{
		"OPTIONS " + r.target() + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %v;branch=z9hG4bKready", local),
		"Max-Forwards: 70",
		fmt.Sprintf("From: <sip:bench@%v>;tag=ready", local),
		"To: <" + r.target() + ">",
		fmt.Sprintf("Call-ID: ready@%v", local),
		"CSeq: 1 OPTIONS",
		"Content-Length: 0", "", "",
	}, "\r\n")
	if _, err := conn.Write([]byte(request)); err != nil {
		return false
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	return err == nil && strings.HasPrefix(string(answer[:n]), "SIP/2.0 405")
}
