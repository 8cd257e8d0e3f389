#!/bin/sh
# Turns Debian and the package into the image of a virtual machine: UEFI, one disk, DHCP, a firewall that lets nothing in
# but what cygnet-setup opens.
#
#   image/build.sh [--answers FILE] [--ssh-key FILE] [--size 4G] [--suite bookworm] PACKAGE.deb IMAGE.raw
#   image/build.sh --base FOLDER …               begins with a copy of what debootstrap has made before
#   image/build.sh --tree FOLDER PACKAGE.deb      only the file system, without a kernel (for containers and tests)
#
# As root on Debian, with debootstrap, and for an image fdisk, dosfstools, mtools and e2fsprogs. No loop device is
# used. MIRROR may be in the environment; a FOLDER with a Debian in it is used as it is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
answers= key= size=4G suite=bookworm tree= base=
fail() {
  echo "image/build.sh: $1" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case "$1" in
    --answers) answers=$2; shift 2 ;;
    --ssh-key) key=$2; shift 2 ;;
    --size) size=$2; shift 2 ;;
    --suite) suite=$2; shift 2 ;;
    --tree) tree=$2; shift 2 ;;
    --base) base=$2; shift 2 ;;
    -*) fail "there is no option $1" ;;
    *) break ;;
  esac
done
[ "$(id -u)" = 0 ] || fail "only root can make a file system for others"
package=${1:-}
[ -f "$package" ] || fail "which package? npm run package makes one"
output=${2:-}
[ -n "$tree" ] || [ -n "$output" ] || fail "where is the image to go?"
if [ -z "$tree" ]; then
  for tool in debootstrap sfdisk mkfs.vfat mkfs.ext4 mcopy; do
    command -v "$tool" >/dev/null || fail "$tool is missing: apt install debootstrap fdisk dosfstools e2fsprogs mtools"
  done
fi

work=$(mktemp -d "${TMPDIR:-/var/tmp}/cygnet-image.XXXXXX")
root=${tree:-$work/root}
leave() {
  if mountpoint -q "$root/proc"; then umount "$root/proc"; fi
  rm -rf --one-file-system "$work"
}
trap leave EXIT
trap 'exit 1' INT TERM
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }

# 1. Debian
kernel="linux-image-amd64 systemd-boot-efi initramfs-tools"
[ "$(dpkg --print-architecture)" = amd64 ] || kernel="linux-image-arm64 systemd-boot-efi initramfs-tools"
common="systemd systemd-sysv systemd-timesyncd dbus libstdc++6 init-system-helpers nftables ca-certificates acl"
mkdir -p "$root"
if [ -n "$base" ]; then cp -a "$base/." "$root"; fi
if [ ! -x "$root/usr/bin/dpkg" ]; then
  include=$(echo $common ${key:+openssh-server} $([ -n "$tree" ] || echo $kernel) | tr ' ' ',')
  debootstrap --variant=minbase --include="$include" "$suite" "$root" ${MIRROR:+"$MIRROR"}
fi

# 2. the gateway
cp "$package" "$root/root/cygnet.deb"
# services are not started in here
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
inside dpkg -i /root/cygnet.deb
umount "$root/proc"
rm "$root/root/cygnet.deb" "$root/usr/sbin/policy-rc.d"

# 3. network, names, time, firewall, console
echo cygnet >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 cygnet\n::1 localhost\n' >"$root/etc/hosts"
mkdir -p "$root/etc/systemd/network" "$root/etc/nftables.d" "$root/etc/systemd/journald.conf.d"
printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/80-dhcp.network"
printf '[Journal]\nStorage=persistent\nSystemMaxUse=500M\n' >"$root/etc/systemd/journald.conf.d/size.conf"
# a network that is not there holds the gateway up for half a minute, not two
wait=systemd-networkd-wait-online
mkdir -p "$root/etc/systemd/system/$wait.service.d"
printf '[Service]\nExecStart=\nExecStart=/lib/systemd/%s --any --timeout=30\n' "$wait" >"$root/etc/systemd/system/$wait.service.d/patience.conf"
cp "$here/nftables.conf" "$root/etc/nftables.conf"
: >"$root/etc/nftables.d/local.nft"
[ -z "$tree" ] && printf 'LABEL=cygnet / ext4 defaults,errors=remount-ro 0 1\n' >"$root/etc/fstab"
inside systemctl enable systemd-networkd cygnet cygnet-setup >/dev/null
for unit in nftables systemd-timesyncd; do
  inside systemctl enable "$unit" >/dev/null 2>&1 || echo "image/build.sh: $unit is not in this base" >&2
done
if [ -n "$key" ]; then
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$key" "$root/root/.ssh/authorized_keys"
  echo 'add rule inet filter input tcp dport 22 accept' >"$root/etc/nftables.d/ssh.nft"
fi
# the console of the machine is the way in where there is no key: whoever has it has the machine
inside passwd -d root >/dev/null
if [ -n "$answers" ]; then
  install -m 640 "$answers" "$root/etc/cygnet/answers"
else
  printf '\nThis gateway is not set up yet: log in as root and run cygnet-setup.\n\n' >>"$root/etc/issue"
fi
# every machine has its own identity and its own keys
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/cache/apt/archives/*.deb
rm -rf "$root"/var/lib/cygnet/pki "$root"/var/lib/apt/lists/*
[ -z "$tree" ] || exit 0

# 4. the disk: an EFI partition with loader, kernel and initrd, and the root
release=$(ls "$root/lib/modules" | sort -V | tail -n 1)
[ -n "$release" ] || fail "there is no kernel in the tree"
case "$(dpkg --print-architecture)" in amd64) loader=x64 ;; *) loader=aa64 ;; esac
esp=$work/esp.img
truncate -s 256M "$esp"
mkfs.vfat -n EFI "$esp" >/dev/null
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
name=$(echo "BOOT$loader.EFI" | tr a-z A-Z)
mcopy -i "$esp" "$root/usr/lib/systemd/boot/efi/systemd-boot$loader.efi" "::/EFI/BOOT/$name"
mcopy -i "$esp" "$root/boot/vmlinuz-$release" ::/vmlinuz
mcopy -i "$esp" "$root/boot/initrd.img-$release" ::/initrd.img
printf 'title Cygnet\nlinux /vmlinuz\ninitrd /initrd.img\noptions root=LABEL=cygnet rw quiet console=tty0 console=ttyS0\n' >"$work/cygnet.conf"
printf 'default cygnet.conf\ntimeout 1\n' >"$work/loader.conf"
mcopy -i "$esp" "$work/cygnet.conf" ::/loader/entries/cygnet.conf
mcopy -i "$esp" "$work/loader.conf" ::/loader/loader.conf

rm -f "$output"
truncate -s "$size" "$output"
# in MiB: 1 free, 256 for EFI, the rest but for the second table at the end
total=$(($(stat -c %s "$output") / 1048576))
rest=$((total - 258))
printf 'label: gpt\nstart=1MiB, size=256MiB, type=U\nstart=257MiB, size=%sMiB, type=L\n' "$rest" | sfdisk --quiet "$output"
truncate -s "${rest}M" "$work/root.img"
mkfs.ext4 -q -L cygnet -d "$root" "$work/root.img"
dd if="$esp" of="$output" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$work/root.img" of="$output" bs=1M seek=257 conv=notrunc,sparse status=none
echo "$output: start it with UEFI; the serial console and the screen have a login for root"
