#!/bin/sh
# Boots a machine out of namespaces: systemd is its first process. Started by tests/hosts/machines.py
# inside its network namespace, with mount, process, name, IPC and cgroup namespaces of its own.
#
#     boot.sh NAME LOWER OWN [SOURCE:TARGET ...]
#
# LOWER: an empty Debian that all machines share, read-only. OWN: what this one wrote (upper, work,
# root). SOURCE:TARGET: what stands for the internet and for the network's shared folder.
set -eu
name=$1 lower=$2 own=$3
shift 3
hostname "$name"
mount --make-rprivate /
root=$own/root
mkdir -p "$own/upper" "$own/work" "$root"
mount -t overlay "machine-$name" -o "lowerdir=$lower,upperdir=$own/upper,workdir=$own/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 "$root/dev/tty" c 5 0
mknod -m 666 "$root/dev/fuse" c 10 229
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"
ln -s null "$root/dev/console"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t mqueue mqueue "$root/dev/mqueue"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for each in "$@"; do
    from=${each%%:*} to=$root${each#*:}
    if [ -d "$from" ]; then mkdir -p "$to"; else mkdir -p "${to%/*}" && touch "$to"; fi
    mount --bind "$from" "$to"
done
mkdir -p "$root/mnt/.old"
cd "$root"
pivot_root . mnt/.old
umount -l /mnt/.old
exec env -i container=namespaces PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console --show-status=no </dev/null
