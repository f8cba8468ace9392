package huawei

import (
	"context"

	ecs "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/ecs/v2/model"

	"github.com/fleetjoin/fleetjoin/cloud/verdict"
)

// Job is a task of the cloud over one or many servers. A failed job may hold servers that went well.
type Job struct {
	ID         string
	Type       string
	Status     string // "INIT", "RUNNING", "SUCCESS" or "FAIL"
	ErrorCode  string // "" while it has not failed
	FailReason string // redacted
	SubJobs    []SubJob
}

// SubJob is the part of a job that is about one server.
type SubJob struct {
	ServerID   string
	Status     string
	ErrorCode  string
	FailReason string // redacted
}

// Job reads a job. The cloud forgets jobs after a while: then it is Rejected, and only the servers can tell.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	if err := showJob.check(id); err != nil {
		return Job{}, err
	}
	request := &model.ShowJobRequest{JobId: id}
	return call(ctx, c, showJob, func(sdk *ecs.EcsClient) (Job, bool, error) {
		answer, err := sdk.ShowJob(request)
		if err != nil || answer.Status == nil || answer.Status.Value() == "" {
			return Job{}, false, err
		}
		return newJob(id, answer), true, nil
	})
}

func newJob(id string, answer *model.ShowJobResponse) Job {
	j := Job{
		ID:         id,
		Type:       value(answer.JobType),
		Status:     answer.Status.Value(),
		ErrorCode:  value(answer.ErrorCode),
		FailReason: verdict.Redact(value(answer.FailReason)),
	}
	if answer.Entities == nil {
		return j
	}
	for _, sub := range value(answer.Entities.SubJobs) {
		s := SubJob{ErrorCode: value(sub.ErrorCode), FailReason: verdict.Redact(value(sub.FailReason))}
		if sub.Status != nil {
			s.Status = sub.Status.Value()
		}
		if sub.Entities != nil {
			s.ServerID = value(sub.Entities.ServerId)
			if s.FailReason == "" {
				s.FailReason = verdict.Redact(value(sub.Entities.ErrorcodeMessage))
			}
		}
		j.SubJobs = append(j.SubJobs, s)
	}
	// A job about one server may have no parts: it is its own.
	if server := value(answer.Entities.ServerId); server != "" && len(j.SubJobs) == 0 {
		j.SubJobs = []SubJob{{ServerID: server, Status: j.Status, ErrorCode: j.ErrorCode, FailReason: j.FailReason}}
	}
	return j
}
