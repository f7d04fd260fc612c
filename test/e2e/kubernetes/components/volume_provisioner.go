package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// Annotations by which Kubernetes and a provisioner outside of it agree on who does what.
const (
	annotationProvisioner   = "volume.kubernetes.io/storage-provisioner" // on the claim, by the controller manager
	annotationSelectedNode  = "volume.kubernetes.io/selected-node"       // on the claim, by the scheduler
	annotationProvisionedBy = "pv.kubernetes.io/provisioned-by"          // on the volume, by us
)

// volumeProvisioner serves the claims of one storage class provisioner from
// directories of this machine: a claim gets a directory of its own, a grown
// claim a larger number in its volume (nothing enforces sizes), and a volume
// released under reclaim policy Delete loses its directory, then itself.
//
// Every step can be repeated: a killed provisioner goes on where it was.
type volumeProvisioner struct {
	name, directory, node string

	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	queue   workqueue.TypedRateLimitingInterface[string] // claims as namespace/name, volumes as name
}

func runVolumeProvisioner() int {
	p := &volumeProvisioner{}
	flags := flag.NewFlagSet("volume-provisioner", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the API server")
	flags.StringVar(&p.name, "name", "", "the provisioner that storage classes name")
	flags.StringVar(&p.directory, "directory", "", "where the volumes' directories are made")
	flags.StringVar(&p.node, "node", "", "the node that has the directory")
	klog.InitFlags(flags)
	_ = flags.Parse(os.Args[1:])

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.ErrorS(err, "cannot read the kubeconfig")
		return 1
	}
	p.client = kubernetes.NewForConfigOrDie(config)
	p.run(ctx)
	return 0
}

func (p *volumeProvisioner) run(ctx context.Context) {
	p.queue = workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](100*time.Millisecond, 10*time.Second))
	factory := informers.NewSharedInformerFactory(p.client, 0)
	p.claims = factory.Core().V1().PersistentVolumeClaims().Lister()
	p.volumes = factory.Core().V1().PersistentVolumes().Lister()
	p.classes = factory.Storage().V1().StorageClasses().Lister()
	enqueue := func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			p.queue.Add(key)
		}
	}
	for _, informer := range []cache.SharedIndexInformer{
		factory.Core().V1().PersistentVolumeClaims().Informer(),
		factory.Core().V1().PersistentVolumes().Informer(),
	} {
		_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    enqueue,
			UpdateFunc: func(_, now any) { enqueue(now) },
		})
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	klog.InfoS("serving claims", "provisioner", p.name, "directory", p.directory)

	go func() { <-ctx.Done(); p.queue.ShutDown() }()
	for {
		key, shutDown := p.queue.Get()
		if shutDown {
			return
		}
		if err := p.sync(ctx, key); err != nil {
			klog.ErrorS(err, "will try again", "key", key)
			p.queue.AddRateLimited(key)
		} else {
			p.queue.Forget(key)
		}
		p.queue.Done(key)
	}
}

func (p *volumeProvisioner) sync(ctx context.Context, key string) error {
	namespace, name, claim := strings.Cut(key, "/")
	if claim {
		return p.syncClaim(ctx, namespace, name)
	}
	return p.syncVolume(ctx, key)
}

func (p *volumeProvisioner) syncClaim(ctx context.Context, namespace, name string) error {
	claim, err := p.claims.PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case claim.DeletionTimestamp != nil || claim.Annotations[annotationProvisioner] != p.name || claim.Spec.StorageClassName == nil:
		return nil
	case claim.Spec.VolumeName != "":
		return p.grow(ctx, claim)
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return err // a class just made may not be in the cache yet
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storage.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations[annotationSelectedNode] != p.node {
		return nil
	}
	return p.provision(ctx, claim, class)
}

func (p *volumeProvisioner) provision(ctx context.Context, claim *core.PersistentVolumeClaim, class *storage.StorageClass) error {
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(p.directory, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	// Whoever the pod runs as may write, with or without fsGroup; the umask has to be undone.
	if err := os.Chmod(path, 0o777); err != nil {
		return err
	}
	reclaim := core.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	volume := &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{annotationProvisionedBy: p.name}},
		Spec: core.PersistentVolumeSpec{
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeReclaimPolicy: reclaim,
			StorageClassName:              class.Name,
			VolumeMode:                    claim.Spec.VolumeMode,
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeSource: core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
				MatchExpressions: []core.NodeSelectorRequirement{{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{p.node}}},
			}}}},
		},
	}
	_, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{})
	if err == nil {
		klog.InfoS("made a volume", "volume", name, "claim", klog.KObj(claim))
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// grow does what a resizer does: the volume first, then the claim's status says so.
func (p *volumeProvisioner) grow(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	wanted := claim.Spec.Resources.Requests[core.ResourceStorage]
	has, known := claim.Status.Capacity[core.ResourceStorage]
	if claim.Status.Phase != core.ClaimBound || !known || wanted.Cmp(has) <= 0 {
		return nil
	}
	capacity := map[string]any{"capacity": map[string]string{"storage": wanted.String()}}
	if _, err := p.client.CoreV1().PersistentVolumes().Patch(ctx, claim.Spec.VolumeName, types.MergePatchType,
		mustJSON(map[string]any{"spec": capacity}), meta.PatchOptions{}); err != nil {
		return fmt.Errorf("grow volume %s: %w", claim.Spec.VolumeName, err)
	}
	capacity["conditions"] = nil
	if _, err := p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType,
		mustJSON(map[string]any{"status": capacity}), meta.PatchOptions{}, "status"); err != nil {
		return fmt.Errorf("report the grown volume in claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	klog.InfoS("grew a volume", "volume", claim.Spec.VolumeName, "size", wanted.String())
	return nil
}

func (p *volumeProvisioner) syncVolume(ctx context.Context, name string) error {
	volume, err := p.volumes.Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if volume.DeletionTimestamp != nil || volume.Annotations[annotationProvisionedBy] != p.name ||
		volume.Status.Phase != core.VolumeReleased || volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return nil
	}
	if volume.Spec.Local == nil || filepath.Dir(volume.Spec.Local.Path) != p.directory {
		return errors.New("the volume's path is not one of ours: " + name)
	}
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return err
	}
	err = p.client.CoreV1().PersistentVolumes().Delete(ctx, name, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(volume.UID))})
	if err == nil {
		klog.InfoS("deleted a volume", "volume", name)
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
