package alibaba

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aliyun/credentials-go/credentials"

	"github.com/fleetjoin/fleetjoin/cloud/account"
)

const (
	// The keys of a role are renewed this long before they end, so that none ends under way.
	renewBefore = 5 * time.Minute
	// While the old keys last, a renewal may take this long, since everybody waits for it, and after one that failed the
	// next is this much later.
	renewPatience = 5 * time.Second
	renewAgain    = 30 * time.Second
	// How long the vendor's library may look for keys: it asks several places, each with timeouts of its own.
	vendorTimeout = 20 * time.Second

	defaultSession = "fleetjoin"
)

// keyring gives the keys that sign calls. Its state is in closures, where no printing of a Client can reach it.
type keyring struct {
	get    func(context.Context) (account.Credentials, error)
	forget func(context.Context, account.Credentials) // the cloud does not take these any more
}

// turn is a lock that can be waited for with a context.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) pass() { <-t }

// newKeyring returns the keyring for the account's kind of credentials. It looks whether they are in place, and sends
// nothing.
func (c *Client) newKeyring(ctx context.Context) (keyring, error) {
	switch chain := c.account.Credentials.Chain; chain.Type {
	case "", account.AssumeRole:
		if _, err := c.account.Secrets(ctx); err != nil {
			return keyring{}, err
		}
		if chain.Type == "" {
			return keyring{
				get:    c.account.Secrets,
				forget: func(context.Context, account.Credentials) {}, // they are read anew for every call
			}, nil
		}
		return renewed(c.assumeRole), nil
	case account.OIDC:
		if _, err := chain.IDToken(); err != nil {
			return keyring{}, fmt.Errorf("the token of the identity provider cannot be read: %w", err)
		}
		return renewed(c.assumeRoleWithOIDC), nil
	case account.MetadataRole:
		return vendors(func() (credentials.Credential, error) {
			kind := "ecs_ram_role"
			return credentials.NewCredential(&credentials.Config{Type: &kind})
		})
	case account.DefaultChain:
		return vendors(func() (credentials.Credential, error) { return credentials.NewCredential(nil) })
	default:
		return keyring{}, fmt.Errorf("credentials of type %q are unknown", chain.Type)
	}
}

// role is what an exchange of keys yields.
type role struct {
	keys  account.Credentials
	until time.Time
}

// renewed keeps the keys of a role until shortly before they end. One caller renews them, the others wait; when that
// fails, the old ones serve for as long as they last.
func renewed(exchange func(context.Context) (role, error)) keyring {
	var now role
	var again time.Time // no renewal before, while the old keys last
	mine := make(turn, 1)
	return keyring{
		get: func(ctx context.Context) (account.Credentials, error) {
			if err := mine.take(ctx); err != nil {
				return account.Credentials{}, fmt.Errorf("waiting for the keys of the role: %w", err)
			}
			defer mine.pass()
			left := time.Until(now.until)
			if left > renewBefore || left > 0 && time.Until(again) > 0 {
				return now.keys, nil
			}
			within := ctx
			if left > 0 {
				var stop func()
				within, stop = context.WithTimeout(ctx, renewPatience)
				defer stop()
			}
			next, err := exchange(within)
			switch {
			case err == nil:
				now = next
			case !time.Now().Before(now.until):
				return account.Credentials{}, err
			case ctx.Err() == nil: // else this caller has given up, and the next may try
				again = time.Now().Add(renewAgain)
			}
			return now.keys, nil
		},
		forget: func(ctx context.Context, keys account.Credentials) {
			if mine.take(ctx) != nil {
				return
			}
			defer mine.pass()
			if now.keys == keys { // else they were renewed meanwhile
				now = role{}
			}
		},
	}
}

var (
	assumeRole         = op{service: sts, name: "AssumeRole"}
	assumeRoleWithOIDC = op{service: sts, name: "AssumeRoleWithOIDC"}
)

// assumeRole exchanges the account's own keys for those of its role. It is made with our own call and not with the
// vendor's credentials library, which has no contexts and no other scheme than https, and puts URLs into its errors.
func (c *Client) assumeRole(ctx context.Context) (role, error) {
	chain := c.account.Credentials.Chain
	form := map[string]any{
		"RoleArn":         chain.RoleARN,
		"RoleSessionName": cmp.Or(chain.SessionName, defaultSession),
	}
	if chain.ExternalID != "" {
		form["ExternalId"] = chain.ExternalID
	}
	return c.exchange(ctx, assumeRole, request{body: form, as: c.account.Secrets})
}

// assumeRoleWithOIDC exchanges the token of an identity provider for the keys of a role. The token is the proof: the
// call is not signed.
func (c *Client) assumeRoleWithOIDC(ctx context.Context) (role, error) {
	chain := c.account.Credentials.Chain
	token, err := chain.IDToken()
	if err != nil {
		return role{}, fmt.Errorf("the token of the identity provider cannot be read: %w", err)
	}
	return c.exchange(ctx, assumeRoleWithOIDC, request{
		body: map[string]any{
			"RoleArn":         chain.RoleARN,
			"RoleSessionName": cmp.Or(chain.SessionName, defaultSession),
			"OIDCProviderArn": chain.OIDCProviderARN,
			"OIDCToken":       token,
		},
		secret: token,
		as:     func(context.Context) (account.Credentials, error) { return account.Credentials{}, nil },
	})
}

// session is the answer to an exchange of keys.
type session struct {
	Credentials struct {
		AccessKeyID     string
		AccessKeySecret string
		SecurityToken   string
		Expiration      time.Time
	}
}

func (c *Client) exchange(ctx context.Context, o op, r request) (role, error) {
	answer, err := call(ctx, c, o, r, func(s *session) bool {
		k := s.Credentials
		return k.AccessKeyID != "" && k.AccessKeySecret != "" && k.SecurityToken != "" && !k.Expiration.IsZero()
	})
	if err != nil {
		return role{}, err
	}
	k := answer.Credentials
	return role{
		keys:  account.Credentials{AccessKey: k.AccessKeyID, SecretKey: k.AccessKeySecret, SecurityToken: k.SecurityToken},
		until: k.Expiration,
	}, nil
}

// vendors asks the vendor's library. That one caches the keys, but must not be asked by two at once, knows no contexts,
// panics over answers it does not expect, and, after it once found nothing, goes on asking the wrong place; so it is
// built anew after every failure.
func vendors(build func() (credentials.Credential, error)) (keyring, error) {
	provider, err := build()
	if err != nil {
		return keyring{}, err
	}
	mine := make(turn, 1)
	ask := func() (keys account.Credentials, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the vendor's library panicked: %v", p)
			}
			if err != nil {
				provider = nil
			}
		}()
		if provider == nil {
			if provider, err = build(); err != nil {
				return account.Credentials{}, err
			}
		}
		k, err := provider.GetCredential()
		if err != nil {
			return account.Credentials{}, err
		}
		if k.AccessKeyId == nil || k.AccessKeySecret == nil || *k.AccessKeyId == "" || *k.AccessKeySecret == "" {
			return account.Credentials{}, errors.New("the vendor's library found no keys")
		}
		keys = account.Credentials{AccessKey: *k.AccessKeyId, SecretKey: *k.AccessKeySecret}
		if k.SecurityToken != nil {
			keys.SecurityToken = *k.SecurityToken
		}
		return keys, nil
	}
	type found struct {
		keys account.Credentials
		err  error
	}
	return keyring{
		get: func(ctx context.Context) (account.Credentials, error) {
			ctx, stop := context.WithTimeout(ctx, vendorTimeout)
			defer stop()
			if err := mine.take(ctx); err != nil {
				return account.Credentials{}, fmt.Errorf("waiting for keys: %w", err)
			}
			result := make(chan found, 1)
			go func() {
				defer mine.pass()
				keys, err := ask()
				result <- found{keys, err}
			}()
			select {
			case r := <-result:
				return r.keys, r.err
			case <-ctx.Done(): // the question ends by its own timeouts, and the next one waits for that
				return account.Credentials{}, fmt.Errorf("looking for keys: %w", ctx.Err())
			}
		},
		forget: func(ctx context.Context, _ account.Credentials) {
			if mine.take(ctx) != nil {
				return
			}
			defer mine.pass()
			provider = nil
		},
	}, nil
}
