package activities

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// programs finds the program of a run. A program is in its run's history once, as the result of the plan activity;
// slices carry only its digest, so that a page's ids are not written again with every slice. A worker that did not
// make the program itself reads it back from there.
type programs struct {
	client    client.Client
	converter converter.DataConverter

	mu    sync.Mutex
	byRun map[string]*list.Element // of *remembered
	used  *list.List               // latest first
}

type remembered struct {
	run     string
	program *membership.Program
}

// mostPrograms bounds the memory: some 30 kB a page. None is forgotten when its run ends: its record may have to be filed again,
// by who comes after a worker that died right then.
const mostPrograms = 512

func newPrograms(c client.Client, dc converter.DataConverter) *programs {
	return &programs{client: c, converter: dc, byRun: make(map[string]*list.Element), used: list.New()}
}

func (s *programs) remember(run string, p *membership.Program) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byRun[run]; ok {
		s.used.Remove(e)
	}
	s.byRun[run] = s.used.PushFront(&remembered{run: run, program: p})
	for s.used.Len() > mostPrograms {
		last := s.used.Back()
		s.used.Remove(last)
		delete(s.byRun, last.Value.(*remembered).run)
	}
}

func (s *programs) recall(run string) (*membership.Program, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byRun[run]
	if !ok {
		return nil, false
	}
	s.used.MoveToFront(e)
	return e.Value.(*remembered).program, true
}

// find returns the program with the digest. A run that was reset has another run id than the one its program was made
// in, but the program is in its history all the same.
func (s *programs) find(ctx context.Context, run workflow.Execution, digest string) (*membership.Program, error) {
	if p, ok := s.recall(run.RunID); ok && p.Digest == digest {
		return p, nil
	}
	if s.client == nil {
		return nil, fmt.Errorf("the program %s of run %s is not in memory", digest, run.RunID)
	}
	p, err := s.read(ctx, run, digest)
	if err != nil {
		return nil, fmt.Errorf("the program %s of run %s: %w", digest, run.RunID, err)
	}
	s.remember(run.RunID, p)
	return p, nil
}

// last returns the last program in the history of a workflow, nil when it has none or is not known any more.
func (s *programs) last(ctx context.Context, workflowID string) (*membership.Program, error) {
	if s.client == nil {
		return nil, nil
	}
	p, err := s.read(ctx, workflow.Execution{ID: workflowID}, "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) || errors.Is(err, errNoProgram) {
		return nil, nil
	}
	return p, err
}

var errNoProgram = errors.New("is not in the run's history")

// read reads the program with the digest, or the last one, from a run's history.
func (s *programs) read(ctx context.Context, run workflow.Execution, digest string) (found *membership.Program, err error) {
	plans := make(map[int64]bool)
	events := s.client.GetWorkflowHistory(ctx, run.ID, run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return nil, err
		}
		if a := e.GetActivityTaskScheduledEventAttributes(); a.GetActivityType().GetName() == membership.PlanActivity {
			plans[e.GetEventId()] = true
		}
		if a := e.GetActivityTaskCompletedEventAttributes(); plans[a.GetScheduledEventId()] {
			p := new(membership.Program)
			if err := s.converter.FromPayloads(a.GetResult(), p); err != nil {
				return nil, err
			}
			switch digest {
			case p.Digest:
				return p, nil
			case "":
				found = p
			}
		}
	}
	if found == nil {
		return nil, errNoProgram
	}
	return found, nil
}
