"""FastAPI with the features that Slipway has, written the usual way by someone competent.

PyJWT verifies every token, redis-py looks up and stores every answer, SQLAlchemy inserts every answer before it leaves.
The database is SQLite in WAL mode with `synchronous=NORMAL`; engine, Redis pool and model are made once.
"""

import hashlib
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Annotated

import jwt
import peer_model
import redis
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, create_model
from sqlalchemy import JSON, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SECRET = os.environ["JWT_SECRET_KEY"]
CACHE_SECONDS = 300

model = peer_model.load()
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
engine = create_engine(os.environ["DATABASE_URL"], pool_size=40)
sessions = sessionmaker(engine)
bearer = HTTPBearer()
Row = create_model("Row", **{name: (kind, ...) for name, kind in peer_model.column_types().items()})


@event.listens_for(engine, "connect")
def use_wal(connection, _record):
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA busy_timeout=30000")


class Base(DeclarativeBase):
    pass


class Prediction(Base):
    __tablename__ = "predictions"
    id: Mapped[int] = mapped_column(primary_key=True)
    prediction_id: Mapped[str] = mapped_column(String(36), unique=True)
    user_id: Mapped[str] = mapped_column(String(64))
    features: Mapped[dict] = mapped_column(JSON)
    predicted: Mapped[float]
    cached: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


Base.metadata.create_all(engine)


class Answer(BaseModel):
    prediction: float
    prediction_id: str
    cached: bool


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], audience="slipway")
        return claims["sub"]
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "invalid token") from error


def database():
    with sessions() as session:
        yield session


app = FastAPI()


@app.post("/predict")
def predict(
    row: Row, user: Annotated[str, Depends(current_user)], session: Annotated[Session, Depends(database)]
) -> Answer:
    features = row.model_dump()
    key = "predict:" + hashlib.sha256(json.dumps(features, sort_keys=True).encode()).hexdigest()
    known = cache.get(key)
    if known is None:
        value = float(model.predict(peer_model.frame([features]))[0])
        cache.set(key, value, ex=CACHE_SECONDS)
    else:
        value = float(known)
    answer = Answer(prediction=value, prediction_id=str(uuid.uuid4()), cached=known is not None)
    session.add(
        Prediction(
            prediction_id=answer.prediction_id,
            user_id=user,
            features=features,
            predicted=value,
            cached=answer.cached,
        )
    )
    session.commit()
    return answer
