package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
	"github.com/fleetjoin/fleetjoin/worker/connect"
	"github.com/fleetjoin/fleetjoin/workflows"
)

// name is what the name of the fleet that is watched leads to at one moment.
type name struct{ run, first, status string }

// followed runs watch in a pipe, of a run of the fleet web. Its name leads to the latest in turn, asked once a second; the
// run ends a second after the last. asked are the histories that were asked for their status.
func followed(t *testing.T, named name, latest []name, answer func(run string) (fleet.Status, error),
	args ...string) (out, errs string, code int, asked []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan fleet.Report, 1)
		began := time.Now()
		server := mocks.NewClient(t)
		server.On("Close").Return()
		server.On("GetWorkflow", mock.Anything, "web", mock.Anything).Return(fleetRun{report: end})
		server.On("DescribeWorkflowExecution", mock.Anything, "web", mock.Anything).Return(
			func(_ context.Context, _, run string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
				at := named
				if second := int(time.Since(began) / followEvery); run == "" && len(latest) > 0 {
					at = latest[min(second, len(latest)-1)]
				}
				return foundAt(t, at.run, at.first, at.status, began), nil
			})
		server.On("QueryWorkflow", mock.Anything, "web", mock.Anything, membership.QueryStatus).Return(
			func(_ context.Context, _, run, _ string, _ ...any) (converter.EncodedValue, error) {
				asked = append(asked, run)
				s, err := answer(run)
				return said{s}, err
			}).Maybe()
		polling := &workflowservice.DescribeTaskQueueResponse{}
		require.NoError(t, temporalproto.CustomJSONUnmarshalOptions{}.Unmarshal(
			[]byte(`{"pollers": [{"identity": "worker@here", "lastAccessTime": "2000-01-01T00:00:00Z"}]}`), polling)) // the bubble's now
		server.On("DescribeTaskQueue", mock.Anything, workflows.TaskQueue, mock.Anything).Return(polling, nil).Maybe()
		time.AfterFunc(time.Duration(len(latest))*followEvery+followEvery/2, func() {
			end <- fleet.Report{Outcome: membership.RunSucceeded}
		})
		f, o, e := testFactory(t)
		f.Connect = func(context.Context, string) (*connect.Connection, error) {
			return &connect.Connection{Client: server}, nil
		}
		code = run(t.Context(), f, append([]string{"watch", "web"}, args...))
		out, errs = o.String(), e.String()
	})
	return out, errs, code, asked
}

// A name may lead to another run meanwhile. That is not the one that is watched.
func TestWatchStaysWithItsRun(t *testing.T) {
	t.Parallel()
	status := func(run string) (fleet.Status, error) {
		if run == "other" {
			return fleet.Status{Phase: membership.Stopped, Why: "that of another run"}, nil
		}
		return fleet.Status{Phase: membership.Running, Wave: "wave of " + run}, nil
	}
	first, second, other := name{"first", "first", "RUNNING"}, name{"second", "first", "RUNNING"}, name{"other", "other", "RUNNING"}
	for what, c := range map[string]struct {
		named  name
		latest []name
		asked  []string
		args   []string
	}{
		"it goes on in a fresh history":      {first, []name{first, second, second}, []string{"first", "second", "second"}, nil},
		"another one begins":                 {first, []name{first, other, other}, []string{"first"}, nil},
		"it has continued":                   {name{"first", "first", "CONTINUED_AS_NEW"}, []name{second}, []string{"second"}, []string{"--run-id", "first"}},
		"it has ended":                       {name{"first", "first", "COMPLETED"}, nil, nil, nil},
		"it has ended, and another one runs": {name{"first", "first", "FAILED"}, []name{other}, nil, []string{"--run-id", "first"}},
		"it was terminated, and then reset":  {name{"first", "first", "TERMINATED"}, []name{second}, nil, []string{"--run-id", "first"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			out, errs, code, asked := followed(t, c.named, c.latest, status, c.args...)
			require.Equal(t, ExitOK, code, errs)
			require.NotContains(t, out, "another run")
			require.Empty(t, errs)
			require.Equal(t, c.asked, asked[:min(len(asked), len(c.asked))])
			for _, run := range asked {
				require.Contains(t, c.asked, run)
			}
		})
	}
}

// Servers of old do not say where a history began; then the latest of the name is taken for ours.
func TestAHistoryOfUnknownBeginning(t *testing.T) {
	t.Parallel()
	server := mocks.NewClient(t)
	server.On("DescribeWorkflowExecution", mock.Anything, "web", "").Return(foundAt(t, "second", "", "RUNNING", noon), nil)
	now, err := goesOn(t.Context(), &connect.Connection{Client: server}, "web", foundRun{first: "first"})
	require.NoError(t, err)
	require.False(t, now.over)
	require.Equal(t, "second", now.id)
}

// What a worker cannot replay stands still although workers poll, and whoever watches it must hear of that.
func TestARunThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	runbook, err := os.ReadFile("../../deploy/docs/runbook.md")
	require.NoError(t, err)
	require.Contains(t, string(runbook), "\n## A run does not replay\n")
	it := name{"first", "first", "RUNNING"}
	long := []name{it, it, it, it, it, it, it, it}
	for what, c := range map[string]struct {
		why  error
		told int
	}{
		"it does not replay": {serviceerror.NewQueryFailed("[TMPRL1100] nondeterministic\x1b[2J"), 1},
		"nobody has time":    {context.DeadlineExceeded, 0},
		"a restart":          {serviceerror.NewUnavailable("shutting down"), 0},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, errs, code, asked := followed(t, it, long, func(string) (fleet.Status, error) { return fleet.Status{}, c.why })
			require.Equal(t, ExitOK, code)
			require.GreaterOrEqual(t, len(asked), len(long))
			require.Equal(t, c.told, strings.Count(errs, "run web does not answer: "), errs)
			require.Equal(t, c.told, strings.Count(errs, `see the runbook, "A run does not replay"`), errs)
			require.NotContains(t, errs, "\x1b")
		})
	}
	t.Run("now and then", func(t *testing.T) {
		t.Parallel()
		n := 0
		_, errs, _, _ := followed(t, it, long, func(string) (fleet.Status, error) {
			if n++; n%3 == 0 {
				return fleet.Status{Phase: membership.Running}, nil
			}
			return fleet.Status{}, errors.New("not yet")
		})
		require.Empty(t, errs, "never for long")
	})
}
