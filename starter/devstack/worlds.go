package devstack

import (
	_ "embed"
	"fmt"

	"github.com/fleetjoin/fleetjoin/cloud/sim/world"
)

//go:embed example.yaml
var example []byte

// mostGenerated bounds the servers that Generate adds: more than that deserves a world file.
const mostGenerated = 100_000

// ExampleWorld is a small world with servers of every sort: it shows what can happen without a file to write first.
func ExampleWorld() (world.World, error) {
	w, err := world.Parse(example)
	if err != nil {
		return world.World{}, fmt.Errorf("the example world: %w", err)
	}
	return w, nil
}

// Generate adds n servers to a world, every fifth of them stopped, all of its first flavor.
func Generate(w world.World, n int) (world.World, error) {
	switch {
	case n == 0:
		return w, nil
	case n < 0 || n > mostGenerated:
		return w, fmt.Errorf("--generate: %d: want 0 to %d servers", n, mostGenerated)
	case len(w.Huawei.Flavors) == 0:
		return w, fmt.Errorf("--generate: %d: the world has no flavor to give them", n)
	}
	w.Huawei.Generate = append(w.Huawei.Generate, world.Generate{
		Name: "generated-%06d", Count: n, Flavor: w.Huawei.Flavors[0].ID, StoppedPercent: 20})
	return w, w.Validate()
}
