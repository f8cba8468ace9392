package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/huawei"
)

// The workflow types of what the engine is compared with.
const (
	typeBaseline = "BenchBaseline" // Temporal used in the obvious way
	typeBarrier  = "BenchBarrier"  // a page goes stage by stage
)

func registerOthers(r worker.Registry, s script) {
	r.RegisterWorkflowWithOptions(baseline, workflow.RegisterOptions{Name: typeBaseline})
	r.RegisterWorkflow(baselineMember)
	r.RegisterActivity(&steps{client: s.client})
	r.RegisterWorkflowWithOptions(barrier, workflow.RegisterOptions{Name: typeBarrier})
	r.RegisterActivity(&stages{script: s})
}

// memberInput is one server's way into a group.
type memberInput struct {
	Group, Server string
	Poll          time.Duration
}

// baseline runs a child workflow for every member of a page, all at once.
func baseline(ctx workflow.Context, p page, poll time.Duration) error {
	children := make([]workflow.ChildWorkflowFuture, len(p.Members))
	for i, id := range p.Members {
		options := workflow.ChildWorkflowOptions{WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID + "/" + id}
		children[i] = workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, options), baselineMember,
			memberInput{Group: p.Group, Server: id, Poll: poll})
	}
	for _, child := range children {
		if err := child.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// baselineMember runs an activity for every step, and a timer for every wait.
func baselineMember(ctx workflow.Context, in memberInput) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	var do *steps
	step := func(activity any) error { return workflow.ExecuteActivity(ctx, activity, in).Get(ctx, nil) }
	until := func(there func(where) bool) error {
		for {
			var now where
			if err := workflow.ExecuteActivity(ctx, do.Look, in).Get(ctx, &now); err != nil || there(now) {
				return err
			}
			if err := workflow.Sleep(ctx, in.Poll); err != nil {
				return err
			}
		}
	}
	if err := step(do.Check); err != nil {
		return err
	}
	if err := step(do.Stop); err != nil {
		return err
	}
	if err := until(func(w where) bool { return w.Status == "SHUTOFF" && w.Task == "" }); err != nil {
		return err
	}
	if err := step(do.Check); err != nil {
		return err
	}
	if err := step(do.Add); err != nil {
		return err
	}
	if err := until(func(w where) bool { return w.InGroup }); err != nil {
		return err
	}
	if err := step(do.Start); err != nil {
		return err
	}
	return until(func(w where) bool { return w.Status == "ACTIVE" && w.Task == "" && w.InGroup })
}

// steps are the baseline's activities: a call or two each.
type steps struct{ client *huawei.Client }

// where is a server as one look shows it.
type where struct {
	Status, Task string
	InGroup      bool
}

func (s *steps) server(ctx context.Context, id string) (huawei.Server, error) {
	found, err := s.client.Servers(ctx, []string{id})
	if err != nil {
		return huawei.Server{}, err
	}
	server, ok := found[id]
	if !ok {
		return server, fmt.Errorf("there is no server %s", id)
	}
	return server, nil
}

// Check fails for a server that is not KVM.
func (s *steps) Check(ctx context.Context, in memberInput) error {
	server, err := s.server(ctx, in.Server)
	if err != nil {
		return err
	}
	flavor, err := s.client.Flavor(ctx, server.FlavorID)
	if err != nil {
		return err
	}
	if flavor.ExtraSpecs["ecs:virtualization_env_types"] != "CloudCompute" {
		return fmt.Errorf("flavor %s is not KVM", flavor.ID)
	}
	return nil
}

// Look reads the server and the group.
func (s *steps) Look(ctx context.Context, in memberInput) (where, error) {
	server, err := s.server(ctx, in.Server)
	if err != nil {
		return where{}, err
	}
	group, err := s.client.Group(ctx, in.Group)
	w := where{Status: server.Status, Task: server.TaskState}
	for _, id := range group.Members {
		w.InGroup = w.InGroup || id == in.Server
	}
	return w, err
}

// Stop asks for the server to be stopped.
func (s *steps) Stop(ctx context.Context, in memberInput) error {
	_, err := s.client.StopServers(ctx, []string{in.Server}, false)
	return err
}

// Add puts the server into the group.
func (s *steps) Add(ctx context.Context, in memberInput) error {
	return s.client.AddMember(ctx, in.Group, in.Server)
}

// Start asks for the server to be started.
func (s *steps) Start(ctx context.Context, in memberInput) error {
	_, err := s.client.StartServers(ctx, []string{in.Server})
	return err
}

// barrier runs one activity for each stage of a page: every server waits for the page's slowest before it goes on.
func barrier(ctx workflow.Context, p page) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Minute})
	var do *stages
	for stage := toStop; stage < through; stage++ {
		if err := workflow.ExecuteActivity(ctx, do.Stage, p, stage).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// stages are the barrier's activity.
type stages struct{ script script }

// Stage takes all servers of a page through one stage.
func (s *stages) Stage(ctx context.Context, p page, stage int) error {
	return s.script.walk(ctx, p, stage, stage)
}
