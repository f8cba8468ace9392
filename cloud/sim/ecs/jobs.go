package ecs

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// job is a batch power operation as ShowJob tells it.
type job struct {
	ID      string    `json:"id"`
	Number  int64     `json:"number"`
	Project string    `json:"project"`
	Kind    string    `json:"kind"`
	Begin   time.Time `json:"begin"`
	Subs    []subJob  `json:"subs"`
}

type subJob struct {
	ID     string    `json:"id"`
	Server string    `json:"server"`
	End    time.Time `json:"end,omitzero"` // zero: never
	Code   string    `json:"code,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

const (
	jobInit    = "INIT"
	jobRunning = "RUNNING"
	jobSuccess = "SUCCESS"
	jobFail    = "FAIL"
)

func (s *Service) newJob(p power) *job {
	j := &job{Number: s.number(), Project: p.project, Kind: p.kind, Begin: p.now}
	j.ID = s.jobID(j.Number, 0)
	return j
}

// jobID makes an id in the vendor's form: 32 hex digits. Sub-jobs are numbered from 1.
func (s *Service) jobID(number int64, sub int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d/job/%d/%d", s.seed, number, sub))
	return fmt.Sprintf("%x", h[:16])
}

// statusAt returns the sub-job's status at t, given when it began. It is INIT for the first tenth of its time, at
// most one second, if it takes any.
func (j subJob) statusAt(begin, t time.Time) string {
	ends := !j.End.IsZero()
	initial := time.Second
	if ends {
		initial = min(initial, j.End.Sub(begin)/10)
	}
	switch {
	case ends && !t.Before(j.End) && j.Code != "":
		return jobFail
	case ends && !t.Before(j.End):
		return jobSuccess
	case t.Sub(begin) < initial:
		return jobInit
	}
	return jobRunning
}

// statusAt returns the job's status at t: it ends when all sub-jobs have, and fails if one of them did.
func (j *job) statusAt(t time.Time) string {
	count := map[string]int{}
	for _, sub := range j.Subs {
		count[sub.statusAt(j.Begin, t)]++
	}
	switch {
	case count[jobInit] == len(j.Subs):
		return jobInit
	case count[jobInit]+count[jobRunning] > 0:
		return jobRunning
	case count[jobFail] > 0:
		return jobFail
	}
	return jobSuccess
}

// end is when the last sub-job ends; zero if one never does.
func (j *job) end() time.Time {
	var end time.Time
	for _, sub := range j.Subs {
		if sub.End.IsZero() {
			return sub.End
		}
		if sub.End.After(end) {
			end = sub.End
		}
	}
	return end
}

// forgotten reports whether the cloud no longer knows the job (H16).
func (j *job) forgotten(now time.Time, retention time.Duration) bool {
	end := j.end()
	return !end.IsZero() && now.Sub(end) > retention
}
