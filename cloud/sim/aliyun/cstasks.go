package aliyun

import (
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/sim/wire"
)

// known reports whether the caller can ask for the task.
func (s *Service) known(c *wire.Call, t *task) bool {
	return t != nil && t.Account == s.account(c) && !t.forgotten(c.Now, time.Duration(s.config.Containers.TaskRetention))
}

// describeTask tells of a task. It shows no lag.
func (s *Service) describeTask(c *wire.Call, p params) wire.Answer {
	t := s.ack.tasks[p.Get("TaskId")]
	if !s.known(c, t) {
		return s.refuse(c, notFound("ErrorTaskNotFound", "The task does not exist."))
	}
	results := []object{}
	for _, p := range t.Parts {
		results = append(results, object{"data": p.Instance, "status": p.state(c.Now)})
	}
	body := merge(s.taskBody(t, c.Now), object{"cluster_id": t.Cluster, "task_result": results})
	if t.Pool != "" {
		body["target"] = object{"id": t.Pool, "type": "nodepool"}
	}
	return shown(body)
}

// taskBody is what the task itself and lists of tasks tell. It has an error only if it failed.
func (s *Service) taskBody(t *task, now time.Time) object {
	state := t.state(now)
	body := object{"task_id": t.ID, "task_type": t.Type, "state": state, "created": stamp(t.Begin),
		"updated": stamp(t.updated(now))}
	if state != taskFailed {
		return body
	}
	body["state"] = s.config.Containers.TaskFailed
	for _, p := range t.Parts {
		if p.state(now) == taskFailed {
			body["error"] = object{"code": p.Code, "message": p.Message}
		}
	}
	return body
}

// tasksOf returns the tasks of a cluster, of all for "", that the caller can ask for, the newest first.
func (s *Service) tasksOf(c *wire.Call, cluster string) (all []*task) {
	for _, t := range s.ack.tasks {
		if s.known(c, t) && (cluster == "" || t.Cluster == cluster) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *task) int {
		if order := b.Begin.Compare(a.Begin); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

func (s *Service) describeClusterTasks(c *wire.Call, p params) wire.Answer {
	k, r := s.container(c, p)
	if r != nil {
		return s.refuse(c, r)
	}
	var rows []object
	for _, t := range s.tasksOf(c, k.ID) {
		rows = append(rows, s.taskBody(t, c.Now))
	}
	page, info, r := csPage(p, rows, "page_size", "page_number", 100)
	if r != nil {
		return s.refuse(c, r)
	}
	return shown(object{"tasks": page, "page_info": info, "requestId": requestID(c)})
}

// describeEvents tells what happened, of one cluster or of all: that tasks began, and that they ended. The newest is the
// first.
func (s *Service) describeEvents(c *wire.Call, p params) wire.Answer {
	cluster := p.Get("cluster_id")
	if p.Has("ClusterId") {
		if _, r := s.container(c, p); r != nil {
			return s.refuse(c, r)
		}
		cluster = p.Get("ClusterId")
	}
	var rows []object
	for _, t := range s.tasksOf(c, cluster) {
		if id := p.Get("task_id"); id != "" && id != t.ID || p.Get("type") != "" && p.Get("type") != t.Type {
			continue
		}
		rows = append(rows, t.events(c.Now)...)
	}
	slices.SortStableFunc(rows, func(a, b object) int { return strings.Compare(b["time"].(string), a["time"].(string)) })
	page, info, r := csPage(p, rows, "page_size", "page_number", 100)
	if r != nil {
		return s.refuse(c, r)
	}
	return shown(object{"events": page, "page_info": info})
}

// events tells the end of a task, if it has ended, and its begin.
func (k *task) events(now time.Time) []object {
	event := func(of string, at time.Time, level, reason string) object {
		return object{"event_id": k.ID + "-" + of, "type": k.Type, "source": k.Cluster, "subject": k.ID, "time": stamp(at),
			"cluster_id": k.Cluster, "data": object{"level": level, "reason": reason, "message": k.Type + ": " + reason}}
	}
	begin := event("begin", k.Begin, "info", "start")
	switch k.state(now) {
	case taskSuccess:
		return []object{event("end", k.updated(now), "info", taskSuccess), begin}
	case taskFailed:
		return []object{event("end", k.updated(now), "error", taskFailed), begin}
	}
	return []object{begin}
}
