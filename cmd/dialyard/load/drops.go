package load

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"strconv"
)

// droppedBy counts the datagrams which the kernel dropped because nobody read them off these lanes in
// time: losses of the generator, not of the server. Where the kernel does not tell, it is 0.
func droppedBy(lanes []*lane) int {
	ports := map[uint16]bool{}
	for _, l := range lanes {
		ports[l.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()] = true
	}
	total := 0
	for _, path := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		table, err := os.Open(path)
		if err != nil {
			continue
		}
		total += sumDrops(table, ports)
		table.Close()
	}
	return total
}

// sumDrops adds up the last column, drops, of the rows whose local port is one of those given. The second
// column is the local address, address:port in hexadecimal; see proc_pid_net(5).
func sumDrops(table io.Reader, ports map[uint16]bool) int {
	total := 0
	for rows := bufio.NewScanner(table); rows.Scan(); {
		fields := bytes.Fields(rows.Bytes())
		if len(fields) < 3 {
			continue
		}
		_, hex, _ := bytes.Cut(fields[1], []byte(":"))
		port, err := strconv.ParseUint(string(hex), 16, 16)
		if err != nil || !ports[uint16(port)] {
			continue
		}
		drops, _ := strconv.Atoi(string(fields[len(fields)-1]))
		total += drops
	}
	return total
}
