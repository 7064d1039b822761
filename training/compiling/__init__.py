"""From a fitted pipeline to one ONNX graph: conversion, parity with the pipeline, latency."""
