package workflows

// Version is the release whose histories this code records: the folder of the replay corpus. Of every release since
// v0.1.0 the corpus stays, and must go on to replay. So a change of the commands that a workflow under way can give goes
// behind workflow.GetVersion, with a change id below and a sentence that says why; see deploy/docs/releases.md.
const Version = "v0.1.0"
