package main_test

import (
	"bufio"
	"bytes"
	"context"
	octets "encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A softphone is a baresip process that plays a tone and keeps what it hears. It is
// told what to do over its control socket.
type softphone struct {
	t       *testing.T
	dir     string
	address string // where it takes calls, host:port
	control net.Conn
	replies *bufio.Reader
	output  bytes.Buffer // read it when the process is gone
	gone    chan struct{}
}

const softphoneConfig = `
sip_listen %[1]s
ctrl_tcp_listen %[2]s
module_path %[3]s
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
module_app debug_cmd.so
audio_source aufile,%[4]s/tone.wav
audio_player aubridge,heard
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path %[4]s
`

// newSoftphone starts a softphone that answers by itself. It is ended with the test.
func newSoftphone(t *testing.T, name string) *softphone {
	t.Helper()
	needTool(t, "baresip")
	p := &softphone{t: t, dir: t.TempDir(), address: evenPort(t), gone: make(chan struct{})}
	control := freePort(t, "tcp")
	p.write("config", fmt.Sprintf(softphoneConfig, p.address, control, softphoneModules(t), p.dir))
	p.write("accounts", fmt.Sprintf("<sip:%s@%s>;regint=0;answermode=auto;audio_codecs=PCMU/8000/1\n", name, p.address))
	p.write("contacts", "")
	p.write("tone.wav", string(tone(40*time.Second)))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, "baresip", "-4", "-f", p.dir)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, &p.output, &p.output
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.gone)
	}()
	t.Cleanup(func() {
		cancel()
		<-p.gone
		if t.Failed() {
			t.Logf("%s: %s", name, tail(p.output.String(), 3000))
		}
	})
	p.connect(control)
	return p
}

// connect waits for the control socket.
func (p *softphone) connect(address string) {
	p.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			p.control, p.replies = conn, bufio.NewReader(conn)
			p.t.Cleanup(func() { conn.Close() })
			return
		}
		select {
		case <-p.gone:
			p.t.Fatalf("baresip has ended: %s", p.output.String())
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("baresip does not listen at %s: %v", address, err)
		}
	}
}

func (p *softphone) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// do carries out a command.
func (p *softphone) do(command, params string) {
	p.t.Helper()
	if text, ok := p.ask(command, params); !ok {
		p.t.Fatalf("baresip refuses %s %s: %s", command, params, text)
	}
}

// audio is what the phone says of the audio of its call; nothing if it has none.
func (p *softphone) audio() string {
	p.t.Helper()
	text, _ := p.ask("audio_debug", "")
	return text
}

// ask gives a command and returns what the phone says to it. Both ways go netstrings
// of JSON, with events among the replies.
func (p *softphone) ask(command, params string) (text string, ok bool) {
	p.t.Helper()
	request, _ := json.Marshal(map[string]string{"command": command, "params": params})
	p.control.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(request), request); err != nil {
		p.t.Fatal(err)
	}
	for {
		var reply struct {
			Response, OK bool
			Data         string
		}
		if err := json.Unmarshal(p.netstring(), &reply); err != nil {
			p.t.Fatal(err)
		}
		if reply.Response {
			return reply.Data, reply.OK
		}
	}
}

func (p *softphone) netstring() []byte {
	p.t.Helper()
	head, err := p.replies.ReadString(':')
	if err != nil {
		p.t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSuffix(head, ":"))
	if err != nil {
		p.t.Fatal(err)
	}
	text := make([]byte, n+1) // and the comma
	if _, err := io.ReadFull(p.replies, text); err != nil {
		p.t.Fatal(err)
	}
	return text[:n]
}

var (
	packetsSent  = regexp.MustCompile(`TX: packets=(\d+)`)
	packetsHeard = regexp.MustCompile(`rcvd=(\d+)`)
)

// packets are how many RTP packets the call has sent and received so far.
func (p *softphone) packets() (sent, heard int) {
	p.t.Helper()
	text := p.audio()
	count := func(e *regexp.Regexp) int {
		if m := e.FindStringSubmatch(text); m != nil {
			return number(p.t, m[1])
		}
		return 0
	}
	return count(packetsSent), count(packetsHeard)
}

// direction is the way audio may flow, as the last offer and answer say.
func (p *softphone) direction() string {
	p.t.Helper()
	_, rest, _ := strings.Cut(p.audio(), "audio dir=")
	word, _, _ := strings.Cut(rest, " ")
	return word
}

// loudness is the mean amplitude of what was decoded, once the call is over.
func (p *softphone) loudness() float64 {
	p.t.Helper()
	files, _ := filepath.Glob(filepath.Join(p.dir, "dump-*-dec.wav"))
	if len(files) != 1 {
		p.t.Fatalf("what was heard is in %d files", len(files))
	}
	sound, err := os.ReadFile(files[0])
	if err != nil {
		p.t.Fatal(err)
	}
	sound = sound[min(len(sound), 44):] // after the header
	sum := 0.0
	for i := 0; i+1 < len(sound); i += 2 {
		sum += math.Abs(float64(int16(octets.LittleEndian.Uint16(sound[i:]))))
	}
	return sum / float64(max(1, len(sound)/2))
}

// tone is a WAV file of 440 Hz, 16 bit, 8,000 samples a second; its mean amplitude is
// about 5,000.
func tone(d time.Duration) []byte {
	samples := int(d.Seconds() * 8000)
	var b bytes.Buffer
	b.WriteString("RIFF")
	octets.Write(&b, octets.LittleEndian, uint32(36+2*samples))
	b.WriteString("WAVEfmt ")
	octets.Write(&b, octets.LittleEndian, struct {
		Size           uint32
		Format, Tracks uint16
		Rate, Octets   uint32
		Frame, Bits    uint16
	}{16, 1, 1, 8000, 16000, 2, 16})
	b.WriteString("data")
	octets.Write(&b, octets.LittleEndian, uint32(2*samples))
	for i := range samples {
		octets.Write(&b, octets.LittleEndian, int16(8000*math.Sin(2*math.Pi*440*float64(i)/8000)))
	}
	return b.Bytes()
}

// softphoneModules is where baresip keeps its modules.
func softphoneModules(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules", "/usr/local/lib/baresip/modules"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("baresip has no modules where they are looked for")
	return ""
}

// evenPort finds a port whose successor is free too: baresip takes that for TLS.
func evenPort(t *testing.T) string {
	t.Helper()
	for {
		address := freePort(t, "udp")
		_, port, _ := strings.Cut(address, ":")
		next, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", number(t, port)+1))
		if err == nil {
			next.Close()
			return address
		}
	}
}

// quit ends the phone, so that all it has heard is on the disk.
func (p *softphone) quit() {
	p.t.Helper()
	request := `{"command":"quit"}`
	if _, err := fmt.Fprintf(p.control, "%d:%s,", len(request), request); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.gone:
	case <-time.After(5 * time.Second):
		p.t.Fatal("baresip does not quit")
	}
}
