package workflows

// Version names the generation of the interpreter: the folder of the replay corpus that this code records. Every change
// of the commands that the interpreter can give in a run under way goes behind workflow.GetVersion, raises it, and
// gets a corpus of its own (`make replay-record`); the older ones stay and must go on to replay.
const Version = "v3"
