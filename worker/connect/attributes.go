package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"

	"github.com/fleetjoin/fleetjoin/workflows"
)

// ErrCannotTell means that the server does not let us see which search attributes its namespace has.
var ErrCannotTell = errors.New("the server does not tell which search attributes there are")

// CheckSearchAttributes makes sure that the namespace has the search attributes that runs set. Without them every run
// would fail at its first step, and only in its history; so whoever starts asks first. The error is ErrCannotTell when
// there is no telling, or names what is missing and the command that creates it.
func (c *Connection) CheckSearchAttributes(ctx context.Context) error {
	answer, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: c.Namespace})
	var denied *serviceerror.PermissionDenied
	var unknown *serviceerror.Unimplemented
	switch {
	case errors.As(err, &denied), errors.As(err, &unknown):
		return fmt.Errorf("%w (%v)", ErrCannotTell, err)
	case err != nil:
		return fmt.Errorf("list the search attributes of namespace %s: %w", c.Namespace, err)
	}
	return missing(c.Address, c.Namespace, answer.GetCustomAttributes())
}

func missing(address, namespace string, has map[string]enumspb.IndexedValueType) error {
	var wrong, create []string
	for _, want := range workflows.SearchAttributes() {
		switch got, ok := has[want.Name]; {
		case !ok:
			create = append(create, fmt.Sprintf("--name %s --type %s", want.Name, want.Type))
		case got != want.Type:
			wrong = append(wrong, fmt.Sprintf("%s is a %s and must be a %s", want.Name, got, want.Type))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("namespace %s: search attribute %s; remove it or use another namespace",
			namespace, strings.Join(wrong, "; "))
	}
	if len(create) > 0 {
		return fmt.Errorf("namespace %s lacks search attributes; create them with:\n"+
			"  temporal operator search-attribute create --address %s --namespace %s \\\n    %s",
			namespace, address, namespace, strings.Join(create, " \\\n    "))
	}
	return nil
}
