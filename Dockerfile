# Larder's image: the binary, the C library it is linked against, the certificates of authorities.
# No shell, no package manager, under 40 MB.
#
#   docker build -t larder .
#
# That needs BuildKit, the builder of every Docker since 23.
#
# Where no image can be pulled, docker/make-bases makes both bases from Debian packages:
#
#   docker build -t larder --build-arg RUN_BASE="$(docker/make-bases debian)" \
#       --build-arg BUILD_BASE="$(docker/make-bases rust)" .
#
# `--target prebuilt` puts the same image around a binary that was compiled elsewhere, on the Debian
# release of RUN_BASE or an older one; any builder does. Its context is a folder with `larder` and
# `LICENSE`:
#
#   docker build -t larder -f Dockerfile --target prebuilt FOLDER

# Rust 1.95 or newer with a C compiler and make, on the Debian release of RUN_BASE or an older one
ARG BUILD_BASE=rust:1.95-bookworm
# any Debian: only two libraries, the certificates and their licences are taken from it
ARG RUN_BASE=debian:bookworm-slim

# what the image holds beside the binary, gathered in /image
FROM ${RUN_BASE} AS root
RUN set -eu; \
    packages="libc6 libgcc-s1 ca-certificates"; \
    dpkg-query --show $packages >/dev/null 2>&1 || { \
        apt-get update -qq; \
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; \
    }; \
    mkdir -p /image/etc /image/usr/bin /image/usr/lib /image/usr/lib64 /image/var/lib/dpkg/status.d; \
    ln -s usr/lib /image/lib; ln -s usr/lib64 /image/lib64; \
    # a library's place is below /lib or /usr/lib, by the release; here as there they are the same
    dpkg --listfiles libc6 libgcc-s1 \
        | grep -E '^/.*/(ld-linux[^/]*|lib(c|m|gcc_s))\.so\.[0-9]+$' \
        | sed 's,^/lib,/usr/lib,' \
        | xargs cp -a --parents -t /image; \
    cp -a --parents /etc/ssl/certs/ca-certificates.crt /image; \
    cp -L /etc/os-release /image/etc/; \
    for package in $packages; do \
        # scanners and auditors look here for what an image without dpkg is made of
        dpkg-query --status "$package" >"/image/var/lib/dpkg/status.d/$package"; \
        mkdir -p "/image/usr/share/doc/$package"; \
        cp -L "/usr/share/doc/$package/copyright" "/image/usr/share/doc/$package/"; \
    done; \
    printf 'root:x:0:0::/:/\nlarder:x:1000:1000::/data:/\n' >/image/etc/passwd; \
    printf 'root:x:0:\nlarder:x:1000:\n' >/image/etc/group; \
    printf 'hosts: files dns\n' >/image/etc/nsswitch.conf; \
    for name in devpi devpi-server; do ln -s larder "/image/usr/bin/$name"; done; \
    mkdir -p /state/data

# the image without the binary
FROM scratch AS runtime
COPY --from=root /image /
# owned by the user, so that a volume made by Docker is, too
COPY --from=root --chown=1000:1000 /state /
COPY LICENSE /usr/share/doc/larder/copyright
# The weakest of the variables that give an option, so that a LARDER_… variable or an argument wins.
ENV PATH=/usr/bin \
    HOME=/data \
    DEVPI_SERVERDIR=/data/server \
    DEVPISERVER_HOST=0.0.0.0 \
    DEVPISERVER_RESTRICT_MODIFY=root
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 3141
# arguments after the image's name are options of the server, or `larder …` as on any command line
ENTRYPOINT ["/usr/bin/larder"]
LABEL org.opencontainers.image.title="Larder" \
      org.opencontainers.image.description="A Python package server and PyPI cache, drop-in for devpi-server" \
      org.opencontainers.image.licenses="MIT"

FROM runtime AS prebuilt
COPY larder /usr/bin/larder
# fails if the binary asks for a library that is not in the image
RUN ["/usr/bin/larder", "--version"]

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin larder

FROM runtime
ARG VERSION=
ARG REVISION=
LABEL org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /src/target/release/larder /usr/bin/larder
RUN ["/usr/bin/larder", "--version"]
