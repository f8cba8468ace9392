package workflows

import (
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// Read hands out what fleets keep in the workers' store, to those who have no way there: the fleet.Archive, fleet.Record,
// fleet.Manifest, fleet.Page or fleet.Sight with the key, packed when it is large: see Unpack.
func Read(ctx workflow.Context, key string) (converter.RawValue, error) {
	var found converter.RawValue
	err := workflow.ExecuteActivity(persist(ctx, time.Minute, key), ReadActivity, key).Get(ctx, &found)
	return found, err
}
