# A small image of one oracle: the bundled program and lmdb, run by a user without rights.

FROM node:20-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-fund --no-audit --loglevel=error
COPY . .
RUN npm run build && npm pack --pack-destination /tmp

FROM node:20-bookworm-slim
RUN --mount=type=bind,from=build,source=/tmp,target=/tmp/pack \
    npm install --global --omit=dev --omit=peer --ignore-scripts --no-fund --no-audit /tmp/pack/assay-*.tgz \
    && npm cache clean --force \
    && install -d -o node -g node -m 0700 /committee
USER node
WORKDIR /committee
VOLUME /committee
# Peers, and the API.
EXPOSE 7001-7031 8080
ENTRYPOINT ["assay"]
CMD ["--help"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["assay", "status", "--url", "http://127.0.0.1:8080"]
