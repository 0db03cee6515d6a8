package embedded

import (
	"context"
	"log/slog"
	"maps"
	"net/http"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/types"
	commoncfg "github.com/prometheus/common/config"
)

type keyOfMessage struct{}

// WithKey has a message carry an idempotency key, where its integration has a place for it: webhooks in a header, mail in
// its Message-ID. Those that gather the messages of a group by themselves, as PagerDuty does, need none.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfMessage{}, key)
}

func keyOf(ctx context.Context) string {
	key, _ := ctx.Value(keyOfMessage{}).(string)
	return key
}

// keyHeader is that of the IETF's draft.
const keyHeader = "Idempotency-Key"

// withKey has an integration carry keys, where it can.
func withKey(i *notify.Integration, rcv config.Receiver, t *template.Template, logger *slog.Logger) notify.Notifier {
	switch i.Name() {
	case "webhook":
		if c := rcv.WebhookConfigs[i.Index()]; !hasKeyHeader(c) {
			return &keyedWebhook{plain: i, conf: c, template: t, logger: logger, idle: make(chan *oneWebhook, idleWebhooks)}
		}
	case "email":
		if c := rcv.EmailConfigs[i.Index()]; c.Headers["Message-Id"] == "" {
			return &keyedEmail{plain: i, conf: c, template: t, logger: logger}
		}
	}
	return i
}

func hasKeyHeader(c *config.WebhookConfig) bool {
	if c.HTTPConfig.HTTPHeaders == nil {
		return false
	}
	for name := range c.HTTPConfig.HTTPHeaders.Headers {
		if http.CanonicalHeaderKey(name) == keyHeader {
			return true
		}
	}
	return false
}

// keyedWebhook sends each message by a webhook that nobody else uses meanwhile: the library has headers of a client, and
// none of a message.
type keyedWebhook struct {
	plain    notify.Notifier
	conf     *config.WebhookConfig
	template *template.Template
	logger   *slog.Logger
	idle     chan *oneWebhook
}

// idleWebhooks is how many keep their connections. Groups are notified side by side.
const idleWebhooks = 8

// oneWebhook reads its headers with every request.
type oneWebhook struct {
	notify.Notifier
	headers map[string]commoncfg.Header
}

// Notify implements notify.Notifier.
func (k *keyedWebhook) Notify(ctx context.Context, alerts ...*types.Alert) (bool, error) {
	key := keyOf(ctx)
	if key == "" {
		return k.plain.Notify(ctx, alerts...)
	}
	var one *oneWebhook
	select {
	case one = <-k.idle:
	default:
		var err error
		if one, err = k.make(); err != nil {
			return false, err
		}
	}
	defer func() {
		select {
		case k.idle <- one:
		default: // Its connections are closed once they have been idle.
		}
	}()
	one.headers[keyHeader] = commoncfg.Header{Values: []string{key}}
	return one.Notify(ctx, alerts...)
}

func (k *keyedWebhook) make() (*oneWebhook, error) {
	headers := map[string]commoncfg.Header{keyHeader: {}} // The library leaves out what has none at first.
	client := *k.conf.HTTPConfig
	if client.HTTPHeaders != nil {
		maps.Copy(headers, client.HTTPHeaders.Headers)
	}
	client.HTTPHeaders = &commoncfg.Headers{Headers: headers}
	conf := *k.conf
	conf.HTTPConfig = &client
	sender, err := newWebhook(&conf, k.template, k.logger)
	return &oneWebhook{Notifier: sender, headers: headers}, err
}

// keyedEmail sends each message with a Message-ID of its own.
type keyedEmail struct {
	plain    notify.Notifier
	conf     *config.EmailConfig
	template *template.Template
	logger   *slog.Logger
}

// Notify implements notify.Notifier.
func (k *keyedEmail) Notify(ctx context.Context, alerts ...*types.Alert) (bool, error) {
	key := keyOf(ctx)
	if key == "" {
		return k.plain.Notify(ctx, alerts...)
	}
	conf := *k.conf
	conf.Headers = maps.Clone(conf.Headers)
	if conf.Headers == nil {
		conf.Headers = map[string]string{}
	}
	conf.Headers["Message-Id"] = "<" + key + "@" + messageIDHost(conf.Hello) + ">"
	return newEmail(&conf, k.template, k.logger).Notify(ctx, alerts...)
}

// messageIDHost must be the same in all replicas.
func messageIDHost(hello string) string {
	if hello == "" || hello == "localhost" {
		return "quantivista.invalid"
	}
	return hello
}
