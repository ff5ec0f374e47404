# The server alone: a static binary on an empty image.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /chirograph ./cmd/chirograph \
 && mkdir -p /out/var/lib/chirograph /out/etc/chirograph

FROM scratch
COPY --from=build /chirograph /chirograph
COPY --from=build --chown=65532:65532 /out/ /
USER 65532:65532
VOLUME /var/lib/chirograph
EXPOSE 8443 8444 9443
ENTRYPOINT ["/chirograph"]
CMD ["serve", "--config", "/etc/chirograph/chirograph.yaml"]
