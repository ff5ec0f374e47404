# The server alone: a static binary on an empty image.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# /tmp is where SQLite puts what it sorts; the authorities vouch for clients' key sets.
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /chirograph ./cmd/chirograph \
 && install -d -m 700 /out/var/lib/chirograph /out/etc/chirograph /out/tmp \
 && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /chirograph /chirograph
COPY --from=build --chown=65532:65532 /out/ /
USER 65532:65532
ENV CHIROGRAPH_CONFIG=/etc/chirograph/chirograph.yaml CHIROGRAPH_DATA_DIR=/var/lib/chirograph
VOLUME /var/lib/chirograph
EXPOSE 8443 8444 9443
ENTRYPOINT ["/chirograph"]
CMD ["serve"]
