package server

import (
	"context"
	"errors"
	"net"
)

// FreePorts gives ports of localhost that nobody listened on a moment ago.
func FreePorts(ctx context.Context, n int) (ports []int, err error) {
	listeners := make([]net.Listener, 0, n)
	// All stay open until the last is found, so that they differ.
	defer func() {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
	}()
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "localhost:0")
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
