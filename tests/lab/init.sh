#!/bin/busybox sh
# The first process of the guest: the root of the host, read-only, under a file system in memory;
# then the job of the share, inside. The power goes off in any case. With `lab.first` on the kernel's
# command line the job becomes the first process itself, and sees to the power.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t devtmpfs none /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
grep -qw lab.first /proc/cmdline && first=yes || first=no
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host &&
  mount -t tmpfs none /upper && mkdir /upper/changes /upper/work &&
  mount -t overlay -o lowerdir=/host,upperdir=/upper/changes,workdir=/upper/work none /root &&
  mount --move /dev /root/dev && mount --move /proc /root/proc &&
  mount -t sysfs none /root/sys && mkdir -p /root/run/lab &&
  mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none job /root/run/lab &&
  case $first in
    yes) exec switch_root /root /bin/sh /run/lab/job.sh ;;
    no) chroot /root /bin/sh /run/lab/job.sh ;;
  esac
poweroff -f
