// One binary with every part of a small Kubernetes cluster in it, and kubectl.
// The part is chosen by the name that the binary is called by (a symbolic link
// for each), or by the first argument: `kubernetes kubectl get nodes`.
//
// One binary because the parts share nearly all of their code: seven binaries
// would take several times the disk, and minutes more to link.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/client-go/plugin/pkg/client/auth"             // kubectl: exec and OIDC credentials
	_ "k8s.io/component-base/logs/json/register"            // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo"   // client metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/restclient" // request metrics on /metrics
	_ "k8s.io/component-base/metrics/prometheus/version"    // kubernetes_build_info
)

// run is a part's whole program: it reads os.Args and returns the exit code.
type run func() int

func cobraPart(command func() *cobra.Command) run {
	return func() int { return cli.Run(command()) }
}

var parts = map[string]run{
	"etcd":                    runEtcd,
	"kube-apiserver":          cobraPart(apiserver.NewAPIServerCommand),
	"kube-controller-manager": cobraPart(controllermanager.NewControllerManagerCommand),
	"kube-proxy":              cobraPart(proxy.NewProxyCommand),
	"kube-scheduler":          cobraPart(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubectl":                 runKubectl,
	"kubelet":                 cobraPart(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
	"volume-provisioner":      runVolumeProvisioner,
}

func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func runKubectl() int {
	// kubectl prints its own errors, and picks the exit code by their kind.
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
	return 0
}

func names() []string {
	var all []string
	for name := range parts {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func main() {
	part, found := parts[filepath.Base(os.Args[0])]
	if !found && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		part, found = parts[os.Args[0]]
	}
	if !found {
		fmt.Fprintf(os.Stderr, "usage: %s PART [ARGUMENT]...\nparts: %s\n", filepath.Base(os.Args[0]), strings.Join(names(), ", "))
		os.Exit(2)
	}
	os.Exit(part())
}
