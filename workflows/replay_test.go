package workflows_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/fleetjoin/fleetjoin/cloud/release"
	"github.com/fleetjoin/fleetjoin/workflows"
)

const corpus = "testdata/histories"

func replay(t *testing.T, file string) error {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	history, err := client.HistoryFromJSON(bytes.NewReader(data), client.HistoryJSONOptions{})
	require.NoError(t, err)
	r := worker.NewWorkflowReplayer()
	workflows.Register(r)
	// The scenario's name was the run's id, of which a fleet makes the ids of its cohorts.
	id := strings.TrimSuffix(filepath.Base(file), ".json")
	return r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), history,
		worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id, RunID: history.GetEvents()[0].
			GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId()}})
}

// Every history that a released version has recorded replays on this one.
func TestOldRunsReplay(t *testing.T) {
	versions, err := os.ReadDir(corpus)
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	current := false
	for _, v := range versions {
		folder := filepath.Join(corpus, v.Name())
		list, err := os.ReadFile(filepath.Join(folder, "SCENARIOS"))
		require.NoError(t, err)
		names := strings.Fields(string(list))
		require.NotEmpty(t, names)
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		require.NoError(t, err)
		require.Len(t, files, len(names), "a history of %s is missing, or not listed", v.Name())
		for _, name := range names {
			t.Run(v.Name()+"/"+name, func(t *testing.T) {
				require.NoError(t, replay(t, filepath.Join(folder, name+".json")))
			})
		}
		current = current || v.Name() == release.Version
	}
	require.True(t, current, "the corpus of %s is missing: make replay-record", release.Version)
}

// The replayer must be able to find what it looks for: histories that are not what this code would have done fail.
func TestForeignRunsDoNotReplay(t *testing.T) {
	source := filepath.Join(corpus, release.Version, "cohort.json")
	for name, forge := range map[string]func(event map[string]any) bool{
		"another activity": func(e map[string]any) bool {
			return rename(e, "huawei.servergroup.verify-kvm", "huawei.servergroup.verify")
		},
		"undone in another order": func(e map[string]any) bool {
			return rename(e, "huawei.servergroup.undo-add", "huawei.servergroup.undo-stop")
		},
		"another result of a slice": func(e map[string]any) bool {
			return rewrite(e, func(result string) string { return strings.Replace(result, "b", "c", 1) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(source)
			require.NoError(t, err)
			var history struct {
				Events []map[string]any `json:"events"`
			}
			require.NoError(t, json.Unmarshal(data, &history))
			require.True(t, slices.ContainsFunc(history.Events, forge), "nothing was forged")
			forged, err := json.Marshal(history)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "forged.json")
			require.NoError(t, os.WriteFile(file, forged, 0o600))
			require.ErrorContains(t, replay(t, file), "TMPRL1100", "the SDK's code for a nondeterministic workflow")
		})
	}
}

// rename gives a scheduled activity of one type another.
func rename(event map[string]any, from, to string) bool {
	scheduled, _ := event["activityTaskScheduledEventAttributes"].(map[string]any)
	kind, _ := scheduled["activityType"].(map[string]any)
	if kind["name"] != from {
		return false
	}
	kind["name"] = to
	return true
}

// rewrite changes the marks in the result of a slice.
func rewrite(event map[string]any, change func(string) string) bool {
	completed, _ := event["activityTaskCompletedEventAttributes"].(map[string]any)
	result, _ := completed["result"].(map[string]any)
	payloads, _ := result["payloads"].([]any)
	for _, p := range payloads {
		payload := p.(map[string]any)
		data, err := base64.StdEncoding.DecodeString(payload["data"].(string))
		var slice map[string]any
		if err != nil || json.Unmarshal(data, &slice) != nil {
			continue
		}
		marks, ok := slice["marks"].(string)
		if !ok || change(marks) == marks {
			continue
		}
		slice["marks"] = change(marks)
		data, _ = json.Marshal(slice)
		payload["data"] = base64.StdEncoding.EncodeToString(data)
		return true
	}
	return false
}
