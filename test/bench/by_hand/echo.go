// An echo daemon on fd 3 with go-systemd, by the path that Debian has it under.
package main

import (
	"io"
	"os"

	"github.com/coreos/go-systemd/activation"
)

func main() {
	listeners, err := activation.Listeners()
	if err != nil || len(listeners) != 1 || listeners[0] == nil {
		os.Exit(1)
	}
	for {
		conn, err := listeners[0].Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}
