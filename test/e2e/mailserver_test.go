package e2e

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailFaults are what a mail server does with its first connection or message.
var mailFaults = []string{"fails", "limits", "hangs", "cuts"}

// mailServer is an SMTP server that wants STARTTLS and AUTH.
type mailServer struct {
	inbox

	fault     string
	address   string
	authority string
	ended     chan struct{}
}

func newMailServer(t *testing.T, fault string) *mailServer {
	t.Helper()
	// Its certificate is for 127.0.0.1.
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	m := &mailServer{fault: fault, authority: filepath.Join(t.TempDir(), "ca.pem"), ended: make(chan struct{})}
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certified.Certificate().Raw})
	require.NoError(t, os.WriteFile(m.authority, authority, 0o600))

	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) { return &mailSession{server: m, conn: conn}, nil }))
	server.Domain = "127.0.0.1"
	server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- server.Serve(&mailListener{Listener: listener, server: m}) }()
	t.Cleanup(func() {
		close(m.ended)
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
	return m
}

func (m *mailServer) integration() string {
	return fmt.Sprintf(`email_configs: [{to: team@example.com, from: monitoring@example.com, smarthost: %q, auth_username: us, auth_password: %q, send_resolved: true, tls_config: {ca_file: %q}}]`,
		m.address, smtpSecret, m.authority)
}

// mailListener has the first connections of a server that hangs or cuts come to nothing.
type mailListener struct {
	net.Listener
	server *mailServer
}

// Accept gives the next connection that is served.
func (l *mailListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		switch {
		case l.server.fault == "hangs" && l.server.missed(1):
			go func() {
				<-l.server.ended
				_ = conn.Close()
			}()
		case l.server.fault == "cuts" && l.server.missed(2):
			_ = conn.Close()
		default:
			return conn, nil
		}
	}
}

// mailSession takes the mails of one connection.
type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	known  bool
}

var _ smtp.AuthSession = (*mailSession)(nil)

// AuthMechanisms offers what needs a password.
func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth wants the password, and never in the clear.
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if _, encrypted := s.conn.TLSConnectionState(); !encrypted || username != "us" || password != smtpSecret {
			s.server.take("", fmt.Errorf("%q with TLS %v", username, encrypted))
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

// Mail begins a mail.
func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		s.server.take("", errors.New("a mail from somebody unknown"))
		return smtp.ErrAuthRequired
	}
	return nil
}

// Rcpt is where servers limit.
func (s *mailSession) Rcpt(string, *smtp.RcptOptions) error {
	if s.server.fault == "limits" && s.server.missed(2) {
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "too many mails"}
	}
	return nil
}

// Data takes the text.
func (s *mailSession) Data(text io.Reader) error {
	message, err := mail.ReadMessage(text)
	if err == nil && s.server.fault == "fails" && s.server.missed(2) {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "out of order"}
	}
	if err != nil {
		s.server.take("", err)
		return err
	}
	told := ""
	switch subject := message.Header.Get("Subject"); {
	case message.Header.Get("Message-Id") == "" || message.Header.Get("To") != "team@example.com":
		err = fmt.Errorf("headers are %v", message.Header)
	case strings.HasPrefix(subject, "[FIRING:1]"):
		told = "firing"
	case strings.HasPrefix(subject, "[RESOLVED]"):
		told = "resolved"
	default:
		err = fmt.Errorf("the subject is %q", subject)
	}
	s.server.take(told, err)
	return nil
}

// Reset ends a mail.
func (*mailSession) Reset() {}

// Logout ends the session.
func (*mailSession) Logout() error { return nil }
