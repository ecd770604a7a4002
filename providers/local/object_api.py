"""Objects over HTTP: the requests that the machine API and the control API share."""

from collections.abc import Callable, Mapping
from datetime import datetime

from providers.local.objects import Bucket, Condition
from providers.local.web import Answer, Download, RefusalError, Request, Response, Route

FindBucket = Callable[..., Bucket]
"""Called with the request and the parts of the path before `/objects`; raises where the caller has no such bucket."""


class ObjectApi:
    """Serves the buckets that `find` finds, below `path`."""

    def __init__(self, path: str, find: FindBucket) -> None:
        self._path = f"{path}/objects"
        self._find = find

    def routes(self) -> list[Route]:
        """For a server."""
        one = self._path + "/{key+}"
        return [
            Route("GET", self._path, self._list),
            Route("GET", one, self._get),
            Route("PUT", one, self._put),
            Route("DELETE", one, self._delete),
        ]

    def _list(self, request: Request, *where: str) -> Answer:
        entries = self._find(request, *where).list(request.query.get("prefix", ""))
        return Response([entry.model_dump(include={"key", "size", "etag", "modified"}) for entry in entries])

    def _get(self, request: Request, *where: str) -> Answer:
        *bucket, key = where
        try:
            entry, content = self._find(request, *bucket).open(key)
        except KeyError as error:
            raise RefusalError(404, f"no object {key!r} in bucket {bucket[-1]!r}") from error
        return Download(content, entry.size, {"ETag": f'"{entry.etag}"'})

    def _put(self, request: Request, *where: str) -> Answer:
        *bucket, key = where
        until = request.headers.get("x-retain-until")
        retain = datetime.fromisoformat(until.replace("Z", "+00:00")).timestamp() if until else 0.0
        entry = self._find(request, *bucket).put(key, request.chunks(), condition(request.headers), retain)
        return Response({"etag": entry.etag}, headers={"ETag": f'"{entry.etag}"'})

    def _delete(self, request: Request, *where: str) -> Answer:
        *bucket, key = where
        self._find(request, *bucket).delete(key)
        return Response()


def condition(headers: Mapping[str, str]) -> Condition:
    """What `If-None-Match` and `If-Match` ask for.

    Raises:
        RefusalError: another condition than is understood.
    """
    absent, etag = headers.get("if-none-match"), headers.get("if-match")
    if absent not in (None, "*"):
        raise RefusalError(400, f"If-None-Match: {absent}: accepted: *")
    return Condition(absent=absent == "*", etag=etag.strip('"') if etag else None)
