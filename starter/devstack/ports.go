package devstack

import (
	"fmt"
	"net"
	"strconv"
)

const loopback = "127.0.0.1"

// listen takes a port on loopback; flag is what an operator changes when it is taken.
func listen(port int, flag string) (net.Listener, error) {
	if port < 0 || port > 65535 {
		return nil, fmt.Errorf("%s: %d: want a port, 0 to 65535, where 0 takes a free one", flag, port)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("port %d cannot be used (%w); choose another with %s, or 0 for a free one", port, err, flag)
	}
	return l, nil
}

// reserve makes sure that another process can listen on the port, and finds one when it is 0.
func reserve(port int, flag string) (int, error) {
	l, err := listen(port, flag)
	if err != nil {
		return 0, err
	}
	port = l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
