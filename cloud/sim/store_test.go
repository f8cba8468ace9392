package sim_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetjoin/fleetjoin/cloud/sim"
	"github.com/fleetjoin/fleetjoin/cloud/sim/fault"
)

// inDir makes a fixture with a state directory; reopen makes another from what the directory holds.
func inDir(t *testing.T) (*fixture, string) {
	t.Helper()
	w, err := sim.ParseWorld([]byte(base))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "state")
	return open(t, sim.Options{World: w, StateDir: dir}), dir
}

func reopen(t *testing.T, dir string) *fixture {
	t.Helper()
	return open(t, sim.Options{StateDir: dir})
}

func TestRestart(t *testing.T) {
	for name, end := range map[string]func(*fixture) error{
		"closed": func(f *fixture) error { return f.Close() },
		"killed": func(*fixture) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := inDir(t)
			f.inject(sim.Fault{Effect: fault.Status, Status: 500, Nth: 4, Count: 1, Match: sim.Match{Action: "ShowServer"}})
			require.Equal(t, 200, f.add("g1", "off").status)
			require.Equal(t, 200, f.add("g1", "off2").status)
			require.Equal(t, 200, f.remove("g1", "off").status)
			created := f.do("POST", groupsPath, `{"server_group":{"name":"new","policies":["anti-affinity"]}}`)
			id := created.body["server_group"].(map[string]any)["id"].(string)
			require.Equal(t, 204, f.do("DELETE", groupsPath+"/g2", "").status)
			f.Clock().Advance(time.Hour)
			_, job := f.power("os-stop", "", "on")
			f.Clock().Advance(5 * time.Second)
			require.Equal(t, "powering-off", f.shown("on")[2])
			servers, groups, entries := f.Servers(), f.Groups(), f.Journal().Entries()
			require.NoError(t, end(f))

			f = reopen(t, dir)
			require.Equal(t, epoch.Add(time.Hour+5*time.Second), f.Clock().Now())
			require.Equal(t, servers, f.Servers())
			require.Equal(t, groups, f.Groups())
			require.Len(t, f.Journal().Entries(), len(entries))
			require.Equal(t, entries[0].Effect, f.Journal().Entries()[0].Effect)
			require.Equal(t, []any{"off2"}, f.members("g1"))
			require.Equal(t, 200, f.do("GET", groupsPath+"/"+id, "").status)
			require.Equal(t, 404, f.do("GET", groupsPath+"/g2", "").status)
			require.EqualValues(t, len(entries)+3, f.last().Seq)
			require.Equal(t, "RUNNING", f.job(job)["status"])
			f.Clock().Advance(15 * time.Second)
			require.Equal(t, "SUCCESS", f.job(job)["status"])
			require.Equal(t, "SHUTOFF", f.shown("on")[0])
			require.Equal(t, 1, f.Faults().List()[0].Seen-1, "the rule went on counting")
			f.shown("on")
			require.Equal(t, 500, f.do("GET", "/v1/p1/cloudservers/on", "").status)
			require.Equal(t, 200, f.do("GET", "/v1/p1/cloudservers/on", "").status)

			f = reopen(t, dir)
			require.Equal(t, 1, f.Faults().List()[0].Hits)
			require.Equal(t, 200, f.do("GET", "/v1/p1/cloudservers/on", "").status, "the rule stays used up")
		})
	}
}

func TestTornLastLine(t *testing.T) {
	f, dir := inDir(t)
	require.Equal(t, 200, f.add("g1", "off").status)
	require.Equal(t, 200, f.add("g1", "off2").status)
	log := onlyLog(t, dir)
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(log, data[:len(data)-20], 0o600))

	f = reopen(t, dir)
	require.Equal(t, []any{"off"}, f.members("g1"), "the second add was not written to the end")
	require.Len(t, f.Journal().Entries(), 2)
	require.Equal(t, 200, f.add("g1", "off3").status)
	f = reopen(t, dir)
	require.Equal(t, []any{"off", "off3"}, f.members("g1"))
}

func TestBrokenState(t *testing.T) {
	f, dir := inDir(t)
	require.Equal(t, 200, f.add("g1", "off").status)
	log := onlyLog(t, dir)
	data, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(log, append([]byte("rubbish\n"), data...), 0o600))
	_, err = sim.New(sim.Options{StateDir: dir})
	require.ErrorContains(t, err, "at byte 0")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "state.json"), []byte("{"), 0o600))
	_, err = sim.New(sim.Options{StateDir: dir})
	require.ErrorContains(t, err, "state.json")
}

func TestResetJournal(t *testing.T) {
	f, dir := inDir(t)
	f.add("g1", "off")
	require.NoError(t, f.ResetJournal())
	require.Empty(t, f.Journal().Entries())
	f.add("g1", "off2")
	require.EqualValues(t, 2, f.last().Seq)
	f = reopen(t, dir)
	require.Len(t, f.Journal().Entries(), 1)
	require.EqualValues(t, 2, f.last().Seq)
	require.Equal(t, []any{"off", "off2"}, f.members("g1"))
}

func TestLoadedWorldSurvives(t *testing.T) {
	f, dir := inDir(t)
	f.add("g1", "off")
	w := f.World()
	w.Huawei.Groups = append(w.Huawei.Groups, w.Huawei.Groups[0])
	w.Huawei.Groups[len(w.Huawei.Groups)-1].ID, w.Huawei.Groups[len(w.Huawei.Groups)-1].Name = "g9", "nine"
	require.NoError(t, f.Load(w))
	require.Equal(t, []any{"off"}, f.members("g1"), "a world taken from a simulator holds its state")
	f = reopen(t, dir)
	require.Equal(t, []any{"off"}, f.members("g1"))
	require.Equal(t, 200, f.add("g9", "off2").status)
}

func onlyLog(t *testing.T, dir string) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "log-*.jsonl"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	return logs[0]
}
