// CoreDNS with the few plugins that the cluster's DNS uses. The published
// CoreDNS links over fifty, most of them for clouds that are not here.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
)

func main() {
	// The order in which a query passes the plugins; one that is not listed cannot be used.
	dnsserver.Directives = []string{"reload", "errors", "health", "ready", "cache", "kubernetes"}
	coremain.Run()
}
