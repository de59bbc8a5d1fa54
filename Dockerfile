# The `lockstep` command with its native engine. `npm run image` lays out build/image and builds this.
ARG BASE_IMAGE=node:24-bookworm-slim
FROM ${BASE_IMAGE}

# In the order of how rarely each changes.
COPY build/image/engine /opt/lockstep/node_modules/@tensorflow/tfjs-node-gpu
COPY build/image/packages /opt/lockstep
COPY build/image/sources /opt/lockstep
COPY --chown=1000:1000 build/image/home /home/lockstep

ENV PATH=/opt/lockstep/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/home/lockstep \
    XDG_CACHE_HOME=/home/lockstep/cache
WORKDIR /home/lockstep
USER 1000:1000

HEALTHCHECK --interval=10s --timeout=15s --start-period=30s CMD ["node", "/opt/lockstep/health.mjs"]
ENTRYPOINT ["lockstep"]
