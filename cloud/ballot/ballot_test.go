package ballot_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/ballot"
	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

const digest = "sha256:97c5042f3d261ec0d916732d9c31a5d415948ca20c15a89033a965ecd7b1d497"

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// bobs is a vote for the program.
func bobs() membership.Vote {
	return membership.Vote{By: "bob", Approves: true, Digest: digest, Reason: "looks good"}
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return signerOf(t, key)
}

func signerOf(t *testing.T, key any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return s
}

// lineFor is a line of an allowed signers file; who is the names and, behind a space, the options.
func lineFor(who string, key ssh.PublicKey) string {
	return who + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " a comment\n"
}

func allowing(t *testing.T, lines ...string) *ballot.Signers {
	t.Helper()
	s, err := ballot.ParseSigners([]byte(strings.Join(lines, "")), "allowed_signers")
	require.NoError(t, err)
	return s
}

func sign(t *testing.T, v membership.Vote, key ssh.Signer) string {
	t.Helper()
	armored, err := ballot.Sign(v, key)
	require.NoError(t, err)
	return armored
}

func TestTextIsWhatPrintfMakesOfIt(t *testing.T) {
	t.Parallel()
	require.Equal(t, "fleetjoin vote v1\ndigest "+digest+"\nvote approve\nby bob\nreason looks good\n", string(ballot.Text(bobs())))
	v := bobs()
	v.Approves, v.Reason = false, ""
	require.Contains(t, string(ballot.Text(v)), "\nvote reject\nby bob\nreason \n")
	v.Reason = "a\\b\nc\td\x7f é\u2028\xff"
	require.Contains(t, string(ballot.Text(v)), "\nreason a\\\\b\\nc\\x09d\\x7f é\u2028\ufffd\n")
}

// What can be told apart in a vote can be told apart in its text, and the way through JSON changes nothing.
func TestTextsOfDifferentVotesDiffer(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.SampledFrom([]rune("a\\nx0\n\r\x00 d")), 0, 6, -1)
	draw := func(t *rapid.T, name string) membership.Vote {
		return membership.Vote{By: word.Draw(t, name+" by"), Digest: word.Draw(t, name+" digest"),
			Reason: word.Draw(t, name+" reason"), Approves: rapid.Bool().Draw(t, name+" approves")}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if rapid.Bool().Draw(t, "alike") {
			b.By, b.Digest = a.By, a.Digest
		}
		require.Equal(t, a == b, string(ballot.Text(a)) == string(ballot.Text(b)))
		require.Equal(t, 5, strings.Count(string(ballot.Text(a)), "\n"))
	})
	rapid.Check(t, func(t *rapid.T) {
		v := membership.Vote{By: string(rapid.SliceOf(rapid.Byte()).Draw(t, "by")), Reason: rapid.String().Draw(t, "reason")}
		wire, err := json.Marshal(v)
		require.NoError(t, err)
		var got membership.Vote
		require.NoError(t, json.Unmarshal(wire, &got))
		require.Equal(t, string(ballot.Text(v)), string(ballot.Text(got)))
	})
}

func TestEveryTypeOfKeySigns(t *testing.T) {
	t.Parallel()
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	keys := map[string]ssh.Signer{"ed25519": newKey(t), "rsa": signerOf(t, long), "sk-ed25519": newSecurityKey(t)}
	for name, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(t, err)
		keys[name] = signerOf(t, key)
	}
	for name, key := range keys {
		armored := sign(t, bobs(), key)
		s := allowing(t, lineFor("bob", key.PublicKey()))
		require.NoError(t, s.Check(bobs(), armored, noon()), name)
		v := bobs()
		v.Approves = false
		require.ErrorContains(t, s.Check(v, armored, noon()), "its signature says approve, and it is cast as reject", name)
	}
}

func TestKeysThatCannotSignAreRefused(t *testing.T) {
	t.Parallel()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	weak := signerOf(t, short)
	_, err = ballot.Sign(bobs(), weak)
	require.ErrorContains(t, err, "cannot sign votes: it is an RSA key of 1024 bits; want at least 2048, or ed25519")
	_, err = ballot.ParseSigners([]byte(lineFor("bob", weak.PublicKey())), "allowed_signers")
	require.ErrorContains(t, err, "allowed_signers line 1: bob: the key cannot sign votes: it is an RSA key of 1024 bits")

	authority, key := newKey(t), newKey(t)
	cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	require.NoError(t, cert.SignCert(rand.Reader, authority))
	certified, err := ssh.NewCertSigner(cert, key)
	require.NoError(t, err)
	_, err = ballot.Sign(bobs(), certified)
	require.ErrorContains(t, err, "it is a certificate, and votes are signed with plain keys")

	raw, err := sshsig.Sign(strings.NewReader(string(ballot.Text(bobs()))), certified, sshsig.HashSHA512, ballot.Namespace)
	require.NoError(t, err)
	s := allowing(t, lineFor("bob", key.PublicKey()))
	require.ErrorContains(t, s.Check(bobs(), string(sshsig.Armor(raw)), noon()), "it is a certificate")
}

// securityKey signs as a token does: a signature of ed25519 over a text of its own, and a touch.
type securityKey struct {
	key    ed25519.PrivateKey
	public ssh.PublicKey
	flags  byte
}

const skApplication = "ssh:"

func newSecurityKey(t *testing.T) *securityKey {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	parsed, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, public, skApplication}))
	require.NoError(t, err)
	return &securityKey{key: key, public: parsed, flags: 1}
}

func (k *securityKey) PublicKey() ssh.PublicKey { return k.public }

func (k *securityKey) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	application, message := sha256.Sum256([]byte(skApplication)), sha256.Sum256(data)
	text := append(application[:], k.flags, 0, 0, 0, 7)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.key, append(text, message[:]...)),
		Rest: []byte{k.flags, 0, 0, 0, 7}}, nil
}

func TestASecurityKeyMustBeTouched(t *testing.T) {
	t.Parallel()
	key := newSecurityKey(t)
	key.flags = 0
	s := allowing(t, lineFor("bob", key.PublicKey()))
	require.ErrorContains(t, s.Check(bobs(), sign(t, bobs(), key), noon()), "was not touched")
}

func TestWhyASignatureDoesNotCount(t *testing.T) {
	t.Parallel()
	bob, ann, stranger, old, young, git := newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t)
	s := allowing(t, lineFor("bob,robert", bob.PublicKey()), lineFor("ann", ann.PublicKey()),
		lineFor(`bob valid-before="20261101Z"`, old.PublicKey()), lineFor(`bob valid-after="20261201120000Z"`, young.PublicKey()),
		lineFor(`bob namespaces="git,file"`, git.PublicKey()))
	require.NoError(t, s.Check(bobs(), sign(t, bobs(), bob), noon()))

	cast := func(change func(*membership.Vote)) string { // what bob signs is not what he casts
		v := bobs()
		change(&v)
		return sign(t, v, bob)
	}
	raw := func(text []byte, namespace string) string {
		sig, err := sshsig.Sign(strings.NewReader(string(text)), bob, sshsig.HashSHA256, namespace)
		require.NoError(t, err)
		return string(sshsig.Armor(sig))
	}
	broken := []byte(sign(t, bobs(), bob))
	for i := 200; i < 204; i++ { // in the middle of its base64, where the signature is
		broken[i] = 'A'
	}
	text := ballot.Text(bobs())
	for _, c := range []struct{ name, armored, words string }{
		{"none", " \n", "it is not signed; fleetjoin signs with --key PATH, and so does ssh-keygen -Y sign -n fleetjoin-vote@v1"},
		{"rubbish", "rubbish", "its signature cannot be read (invalid PEM block); want all that ssh-keygen -Y sign prints"},
		{"another armour", strings.ReplaceAll(sign(t, bobs(), bob), "SSH SIGNATURE", "SIGNATURE"), `its signature cannot be read (invalid PEM type "SIGNATURE"`},
		{"cut short", sign(t, bobs(), bob)[:120], "its signature cannot be read"},
		{"endless", strings.Repeat("x", 20_000), "its signature has 20000 bytes"},
		{"bits turned", string(broken), "its signature is of another text"},
		{"namespace", raw(text, "file"), `its signature is for the namespace "file"; want one for fleetjoin-vote@v1: ssh-keygen -Y sign -n`},
		{"digest", cast(func(v *membership.Vote) { v.Digest = "sha256:another" }),
			"its signature is of another text: most likely the digest is another, and the vote is for " + digest},
		{"vote", cast(func(v *membership.Vote) { v.Approves = false }), "its signature says reject, and it is cast as approve"},
		{"no reason", cast(func(v *membership.Vote) { v.Reason = "" }), "its signature is of a vote without a reason"},
		{"reason", cast(func(v *membership.Vote) { v.Reason = "looks fine" }), "its signature is of another text"},
		{"by", cast(func(v *membership.Vote) { v.By = "robert" }), "its signature is of a vote by robert, and it is cast by bob"},
		{"no newline", raw(text[:len(text)-1], ballot.Namespace), "does not end with a newline"},
		{"stranger", sign(t, bobs(), stranger), "the key " + ssh.FingerprintSHA256(stranger.PublicKey()) + " is none of the allowed signers"},
		{"another's key", sign(t, bobs(), ann), "is allowed for ann, and the vote is by bob"},
		{"expired", sign(t, bobs(), old), "has expired: it was allowed until 2026-11-01T00:00:00Z, and the vote is of 2026-11-21T12:00:00Z"},
		{"too early", sign(t, bobs(), young), "is allowed from 2026-12-01T12:00:00Z on, and the vote is of 2026-11-21T12:00:00Z"},
		{"other namespaces", sign(t, bobs(), git), "is allowed for the namespaces git,file, and votes are signed for fleetjoin-vote@v1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, s.Check(bobs(), c.armored, noon()), c.words)
		})
	}
}

func TestOneLineThatAllowsAKeyIsEnough(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	armored := sign(t, bobs(), key)
	s := allowing(t, lineFor(`bob valid-before="20200101Z"`, key.PublicKey()), lineFor("ann", key.PublicKey()), lineFor("b*", key.PublicKey()))
	require.NoError(t, s.Check(bobs(), armored, noon()))
	s = allowing(t, lineFor("ann", key.PublicKey()), lineFor("cid", key.PublicKey()))
	require.ErrorContains(t, s.Check(bobs(), armored, noon()), "is allowed for ann and cid, and the vote is by bob")
}

func TestSignersFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	key := newKey(t).PublicKey()
	good := lineFor("ann", key)
	for line, words := range map[string]string{
		"":                      "allowed_signers has no signer; want lines such as",
		good + "bob":            "line 2: bob: no key can be read behind the name",
		good + "\n# x\n  bob x": "line 4: bob: no key can be read behind the name",
		good + lineFor("bob cert-authority", key):                          "line 2: bob: cert-authority is not supported; name the keys themselves",
		lineFor(`bob Namespaces="x",CERT-AUTHORITY`, key):                  "cert-authority is not supported",
		lineFor("bob no-touch-required", key):                              `the option "no-touch-required" is not known; want namespaces, valid-after or valid-before`,
		lineFor(`bob valid-after="20260101",valid-after="20260102"`, key):  "the option valid-after is given twice",
		lineFor("bob namespaces=x", key):                                   `namespaces has no value in quotes; want namespaces="fleetjoin-vote@v1"`,
		lineFor(`bob valid-before=""`, key):                                `valid-before has no value in quotes; want valid-before="20270101"`,
		lineFor(`bob valid-before="soon"`, key):                            `valid-before: "soon" is no time; want YYYYMMDD`,
		lineFor(`bob valid-before="20261301"`, key):                        `"20261301" is no time`,
		lineFor(`bob valid-after="20270101",valid-before="20260101"`, key): "valid-before is not after valid-after",
		lineFor(`"bob`, key):                                               "the names have no closing quote",
		lineFor(`""`, key):                                                 "the names are empty",
		"bob ssh-rsa " + strings.Fields(good)[2]:                           "no key can be read behind the name",
	} {
		_, err := ballot.ParseSigners([]byte(line), "allowed_signers")
		require.ErrorContains(t, err, words, line)
		require.ErrorContains(t, err, "allowed signers: allowed_signers", line)
	}
	_, err := ballot.LoadSigners(t.TempDir() + "/none")
	require.ErrorContains(t, err, "allowed signers: open ")
}

// Names may come from anybody: matching one must not take longer than it is long, more or less.
func TestMatchingIsQuick(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	s := allowing(t, lineFor(strings.Repeat("*a", 20)+"*b", key.PublicKey()))
	v := bobs()
	v.By = strings.Repeat("a", 10_000)
	armored := sign(t, v, key)
	done := make(chan error, 1)
	go func() { done <- s.Check(v, armored, noon()) }()
	select {
	case err := <-done:
		require.ErrorContains(t, err, fmt.Sprintf("and the vote is by %s", v.By))
	case <-time.After(time.Minute):
		t.Fatal("it takes for ever")
	}
}

// A second name of the requester's key is the requester's, whatever the line that has both says besides.
func TestTheRequesterDoesNotVoteUnderAnotherName(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	armored := sign(t, bobs(), key)
	for lines, allowed := range map[string]bool{
		lineFor("bob", key.PublicKey()) + lineFor("ann", other.PublicKey()):                                 true,
		lineFor("bob,ann@example.com", key.PublicKey()):                                                     true,
		lineFor("*,!ann", key.PublicKey()):                                                                  true,
		lineFor("ann,bob", key.PublicKey()):                                                                 false,
		lineFor("*", key.PublicKey()):                                                                       false,
		lineFor("bob", key.PublicKey()) + lineFor(`ann namespaces="git"`, key.PublicKey()):                  false,
		lineFor("bob", key.PublicKey()) + lineFor(`ann valid-before="20260101"`, key.PublicKey()):           false,
		lineFor("bob", key.PublicKey()) + lineFor("cid", key.PublicKey()) + lineFor("ann", key.PublicKey()): false,
	} {
		s := allowing(t, lines)
		require.NoError(t, s.Check(bobs(), armored, noon()), lines)
		err := s.CheckRequester(bobs(), armored, "ann")
		if allowed {
			require.NoError(t, err, lines)
			continue
		}
		require.EqualError(t, err, "the key "+ssh.FingerprintSHA256(key.PublicKey())+
			" is allowed for ann, who has asked for this run and may not vote on it, as bob either; want another person's", lines)
	}
}

// One key is one voter, whatever names it is allowed for; and it is so from the first vote on, however fast the second comes.
func TestOneKeyIsOneVoter(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	signed := func(by string, key ssh.Signer) membership.Vote {
		v := bobs()
		v.By = by
		v.Signature = sign(t, v, key)
		return v
	}
	bob, cid := signed("bob", key), signed("cid", key)
	require.Equal(t, ssh.FingerprintSHA256(key.PublicKey()), membership.KeyOf(bob.Signature))
	s := allowing(t, lineFor("bob,cid", key.PublicKey()))
	require.NoError(t, s.Check(cid, cid.Signature, noon()), "the signature holds")
	g := membership.NewGate("ann", membership.Approval{Signed: true, Quorum: 2}, "why", false)
	require.Empty(t, g.Objection(cid, digest, nil))
	require.Contains(t, g.Objection(cid, digest, []membership.Vote{bob}),
		"the key "+ssh.FingerprintSHA256(key.PublicKey())+" has voted already, as bob; one key is one voter")
	require.Empty(t, g.Objection(signed("cid", other), digest, []membership.Vote{bob}))
	refused := bob
	refused.Refused = "too late"
	require.Empty(t, g.Objection(cid, digest, []membership.Vote{refused}))
	for _, junk := range []string{"", "any", "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----",
		"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAf////8=\n-----END SSH SIGNATURE-----"} {
		require.Empty(t, membership.KeyOf(junk))
	}
}

func TestHowManyCanSign(t *testing.T) {
	t.Parallel()
	k := []ssh.PublicKey{newKey(t).PublicKey(), newKey(t).PublicKey(), newKey(t).PublicKey()}
	for name, c := range map[string]struct {
		lines  []string
		voters []string
		want   int
	}{
		"anybody with a key":            {[]string{lineFor("bob", k[0]), lineFor("cid", k[1])}, nil, 2},
		"not the requester":             {[]string{lineFor("bob", k[0]), lineFor("Ann", k[1])}, nil, 1},
		"nor under another name":        {[]string{lineFor("bob", k[0]), lineFor("bob,ann", k[1])}, nil, 1},
		"one key is one voter":          {[]string{lineFor("bob,cid", k[0])}, []string{"bob", "cid"}, 1},
		"each gets a key of their own":  {[]string{lineFor("bob,cid", k[0]), lineFor("bob", k[1])}, []string{"bob", "cid"}, 2},
		"two keys are no second voter":  {[]string{lineFor("bob", k[0]), lineFor("bob", k[1])}, []string{"bob", "cid"}, 1},
		"patterns":                      {[]string{lineFor("*@x", k[0]), lineFor("*@x", k[1])}, []string{"bob@x", "cid@x", "dan@y"}, 2},
		"for other things":              {[]string{lineFor(`bob namespaces="git"`, k[0])}, nil, 0},
		"expired":                       {[]string{lineFor(`bob valid-before="20261120Z"`, k[0])}, nil, 0},
		"not before the gate times out": {[]string{lineFor(`bob valid-after="20261130Z"`, k[0])}, nil, 0},
		"in time":                       {[]string{lineFor(`bob valid-after="20261122Z"`, k[0])}, nil, 1},
		"all three":                     {[]string{lineFor("a,b", k[0]), lineFor("b,c", k[1]), lineFor("c,a", k[2])}, []string{"a", "b", "c"}, 3},
	} {
		s := allowing(t, c.lines...)
		require.Equal(t, c.want, s.Able(c.voters, "ann", noon(), noon().Add(72*time.Hour)), name)
	}
}
