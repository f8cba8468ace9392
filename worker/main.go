// Command fleetjoin-worker does the work: it runs the workflows and activities that move members into groups.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // plans name time zones, and not every machine knows them

	"github.com/fleetjoin/fleetjoin/worker/host"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(host.Main(ctx, os.Args[1:]))
}
