package workflows

import (
	"slices"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// steering is how people steer a run: by controls, each an update, which is refused with words when it makes no sense now,
// and a plain signal; by the status query; and by cancelling the run, which is an abort.
type steering struct {
	names   []string
	help    map[string]string // of each
	check   func(name string, raw converter.RawValue) error
	do      func(ctx workflow.Context, name string, raw converter.RawValue) (membership.Controlled, error)
	refused func(ctx workflow.Context, name string, raw converter.RawValue, why error) // of a signal: nobody else is told
	abort   func(workflow.Context)

	hearing int // signals that are being dealt with
}

// lastWords orders controls so that of those that come as signals with one task the one that stops more is the last word.
// In what order they were sent, the SDK does not tell: it hands over one name after the other, as they were listened for.
func lastWords(names []string) []string {
	stops := []string{membership.ControlPause, membership.ControlAbort}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(stops, name) })
	return append(others, stops...)
}

// listen makes a run answer people from its first moment. What they ask for is done whether or not the run is cancelled.
func (s *steering) listen(ctx workflow.Context) error {
	for _, name := range s.names {
		if err := workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, raw converter.RawValue) (membership.Controlled, error) {
				return s.do(ctx, name, raw)
			},
			workflow.UpdateHandlerOptions{
				Validator:   func(raw converter.RawValue) error { return s.check(name, raw) },
				Description: s.help[name],
			}); err != nil {
			return err
		}
		signals := workflow.GetSignalChannelWithOptions(ctx, name, workflow.SignalChannelOptions{Description: s.help[name]})
		workflow.Go(ctx, func(ctx workflow.Context) {
			free, _ := workflow.NewDisconnectedContext(ctx)
			for {
				var raw converter.RawValue
				signals.Receive(free, &raw)
				s.hearing++
				if _, err := s.do(free, name, raw); err != nil {
					workflow.GetLogger(ctx).Warn("a signal was refused", "signal", name, "error", err)
					s.refused(free, name, raw, err)
				}
				s.hearing--
			}
		})
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		free, _ := workflow.NewDisconnectedContext(ctx)
		s.abort(free)
	})
	return nil
}
