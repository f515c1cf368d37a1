package download

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// NewClient returns the client of every download: proxies from the
// environment, and a dial that gives up. Go itself reads SSL_CERT_FILE and SSL_CERT_DIR; the certificates that
// PIP_CERT or REQUESTS_CA_BUNDLE name are trusted as well, since machines
// behind a company's proxy often have only those set.
func NewClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 5 * time.Second,
			IdleConnTimeout:     30 * time.Second,
			TLSClientConfig:     &tls.Config{RootCAs: roots()},
		},
	}
}

// do sends a request, with the rule for redirects whatever client is used.
func do(client *http.Client, req *http.Request) (*http.Response, error) {
	c := *client
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return &redirectError{fmt.Errorf("download: %s: more than %d redirects", req.URL.Redacted(), maxRedirects)}
		}
		if err := CheckURL(req.URL); err != nil {
			return &redirectError{err}
		}
		return nil
	}
	return c.Do(req)
}

// redirectError is a redirect that was not followed.
type redirectError struct{ err error }

func (e *redirectError) Error() string { return e.err.Error() }
func (e *redirectError) Unwrap() error { return e.err }

// roots returns nil, Go's default, unless the environment names more.
func roots() *x509.CertPool {
	var pool *x509.CertPool
	for _, name := range []string{"PIP_CERT", "REQUESTS_CA_BUNDLE"} {
		pem, err := os.ReadFile(os.Getenv(name))
		if err != nil {
			continue
		}
		if pool == nil {
			if pool, err = x509.SystemCertPool(); err != nil {
				pool = x509.NewCertPool()
			}
		}
		pool.AppendCertsFromPEM(pem)
	}
	return pool
}

// Page brings a short text, such as an index, of at most max bytes. It keeps
// the limits of [File.Get] but knows no checksum, so what it returns is not
// to be trusted. accept is the Accept header. The address is the one after
// redirects, for links in the page.
func Page(ctx context.Context, client *http.Client, address, accept string, max int64) (body []byte, final *url.URL, contentType string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, "", fmt.Errorf("download: %w", err)
	}
	if err := CheckURL(u); err != nil {
		return nil, nil, "", err
	}
	if client == nil {
		client = NewClient()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, ConnectTimeout, fmt.Errorf("no answer within %v", ConnectTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, "", fmt.Errorf("download: %w", err)
	}
	req.Header.Set("User-Agent", "holt")
	req.Header.Set("Accept", accept)
	resp, err := do(client, req)
	if err != nil {
		return nil, nil, "", offline(ctx, u, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		err := fmt.Errorf("download: %s: the server answers %s", u.Redacted(), resp.Status)
		if resp.StatusCode >= 500 {
			err = fmt.Errorf("%w: %w", err, ErrOffline)
		}
		return nil, nil, "", err
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, max+1))
	if err != nil {
		return nil, nil, "", offline(ctx, u, err)
	}
	if int64(len(body)) > max {
		return nil, nil, "", fmt.Errorf("download: %s: page is over %d bytes", u.Redacted(), max)
	}
	return body, resp.Request.URL, resp.Header.Get("Content-Type"), nil
}

// offline says in plain words why a request got no answer.
func offline(ctx context.Context, u *url.URL, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	var redirect *redirectError
	if errors.As(err, &redirect) {
		return redirect.err
	}
	var urlErr *url.Error // its text repeats the address
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	if errors.Is(err, context.Canceled) {
		return stopped(ctx, u)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		err = fmt.Errorf("the name %s is not found", dns.Name)
	}
	return fmt.Errorf("download: %s is %w: %w", u.Host, ErrOffline, err)
}
