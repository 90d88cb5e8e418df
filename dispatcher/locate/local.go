package locate

import (
	"bufio"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	hostsFile   = "/etc/hosts"
	serversFile = "/etc/resolv.conf"

	localKept  = 5 * time.Second // a changed file is noticed after that
	maxHosts   = 1 << 20         // octets that are read of a hosts file
	maxServers = 3               // of resolv.conf, as resolv.conf(5) has it
)

// local is what this machine's files say. It is replaced as a whole, never changed.
type local struct {
	servers []string // ADDR:PORT
	hosts   map[string][]netip.Addr
	checked time.Time
	stamps  [2]stamp // of hosts and resolv.conf
}

// A stamp tells whether a file has changed; the zero stamp is of no file.
type stamp struct {
	changed time.Time
	size    int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// files reads the files again if they have changed. The call path does not come
// here: it waits for the disk.
func (r *Resolver) files(now time.Time) *local {
	r.filesMu.Lock() // one reader is enough, and the others want what it finds
	defer r.filesMu.Unlock()
	if r.local != nil && now.Sub(r.local.checked) < localKept {
		return r.local
	}
	path := r.Hosts
	if path == "" {
		path = hostsFile
	}
	next := &local{checked: now, stamps: [2]stamp{stampOf(path), stampOf(serversFile)}}
	if r.local != nil && next.stamps == r.local.stamps {
		next.servers, next.hosts = r.local.servers, r.local.hosts
	} else {
		next.hosts = readHostsFile(path)
		next.servers = r.nameServers()
	}
	r.local = next
	return next
}

// nameServers are the configured ones, or this machine's.
func (r *Resolver) nameServers() []string {
	names := r.Servers
	if len(names) == 0 {
		if c, err := dns.ClientConfigFromFile(serversFile); err == nil {
			names = c.Servers[:min(len(c.Servers), maxServers)]
		}
	}
	var servers []string
	for _, name := range names {
		if at, err := netip.ParseAddrPort(name); err == nil {
			servers = append(servers, at.String())
		} else if addr, err := netip.ParseAddr(name); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr, 53).String())
		}
	}
	if len(servers) == 0 && len(r.Servers) == 0 {
		servers = []string{"127.0.0.1:53"} // as resolv.conf(5) has it
	}
	return servers
}

// answer is for names that the name servers are not asked about. There is nothing
// but addresses: no NAPTR, and no SRV below the name.
func (l *local) answer(now time.Time, q question) (answer, bool) {
	name := q.name
	if q.kind == kindSRV {
		name = hostOfService(name)
	}
	addrs, ok := l.hosts[name]
	if isLocalhost(name) {
		addrs, ok = []netip.Addr{loopback}, true
	}
	if !ok {
		return answer{}, false
	}
	a := answer{expires: now.Add(localKept)}
	for _, addr := range addrs {
		if addr.Is4() == (q.kind == kindA) && (q.kind == kindA || q.kind == kindAAAA) {
			a.addrs = append(a.addrs, addr)
		}
	}
	return a, true
}

// hostOfService is pbx.test of _sip._udp.pbx.test.
func hostOfService(name string) string {
	_, name, _ = strings.Cut(name, ".")
	_, name, _ = strings.Cut(name, ".")
	return name
}

// readHostsFile takes a file that cannot be read as empty: a machine need not
// have one.
func readHostsFile(path string) map[string][]netip.Addr {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	return readHosts(io.LimitReader(file, maxHosts))
}

// readHosts reads the form of hosts(5). What is no entry is passed over, as the
// system's own resolver does.
func readHosts(text io.Reader) map[string][]netip.Addr {
	hosts := make(map[string][]netip.Addr)
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil || addr.Zone() != "" {
			continue
		}
		addr, ok := sendable(addr)
		if !ok {
			continue
		}
		for _, field := range fields[1:] {
			name, ok := canonicalName(field)
			if held := hosts[name]; ok && len(held) < maxAddrs && !slices.Contains(held, addr) {
				hosts[name] = append(held, addr)
			}
		}
	}
	return hosts
}
