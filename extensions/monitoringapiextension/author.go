package monitoringapiextension

import (
	"context"

	"go.opentelemetry.io/collector/client"
)

// anonymous is the author where clients are not authenticated.
const anonymous = "anonymous"

// author names the authenticated client, by what the authenticators of the collector call it: "username" is of basic
// authentication; the claims and "subject" are of OpenID Connect.
func author(ctx context.Context) string {
	auth := client.FromContext(ctx).Auth
	if auth == nil {
		return anonymous
	}
	for _, attribute := range []string{"username", "claims.email", "claims.preferred_username", "subject"} {
		if name, ok := auth.GetAttribute(attribute).(string); ok && name != "" {
			return name
		}
	}
	return anonymous
}
