// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.lyapunov4j.dl4j.checkpoint.ListenerStatus;

class StabilityUpdateTest {
  private static final StabilityUpdate UPDATE =
      StabilityUpdate.of("session", 1234, Checkpoints.of("a \"run\" # 1 @@@ ü", 20, 0.25, 3));

  @Test
  void whatIsEncodedIsDecoded() throws IOException {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    UPDATE.encode(stream);
    ByteBuffer buffer = ByteBuffer.allocate(UPDATE.encodingLengthBytes());
    UPDATE.encode(buffer);
    StabilityUpdate fromStream = new StabilityUpdate();
    fromStream.decode(new ByteArrayInputStream(stream.toByteArray()));
    StabilityUpdate fromBuffer = new StabilityUpdate();
    fromBuffer.decode(buffer.flip());

    assertSame(decoded(UPDATE.encode()), UPDATE);
    assertSame(fromStream, UPDATE);
    assertSame(fromBuffer, UPDATE);
    assertSame(
        decoded(StabilityUpdate.start("s", "r", 5).encode()), StabilityUpdate.start("s", "r", 5));
    StabilityUpdate refused =
        StabilityUpdate.start(
            "s",
            5,
            new ListenerStatus("r", ListenerStatus.State.REFUSED, "\"why\"", 1, 2, 3, 4, 5));
    assertSame(decoded(refused.encode()), refused);
    assertThat(refused.status().orElseThrow())
        .isEqualTo("{\"state\":\"REFUSED\",\"reason\":\"\\\"why\\\"\"}");
  }

  @Test
  void theEncodingIsJsonWithTheCheckpointsNumbers() throws IOException {
    JsonNode json = Json.parse(UPDATE.encode());

    assertThat(json.get("version").intValue()).isEqualTo(1);
    assertThat(json.get("run").textValue()).isEqualTo("a \"run\" # 1 @@@ ü");
    JsonNode checkpoint = json.get("checkpoint");
    assertThat(checkpoint.get("iteration").intValue()).isEqualTo(20);
    assertThat(checkpoint.get("time").textValue()).isEqualTo("2026-03-01T12:00:20Z");
    assertThat(checkpoint.get("exponent").doubleValue()).isEqualTo(0.25);
    assertThat(checkpoint.get("exponentLow").doubleValue()).isEqualTo(0.2);
    assertThat(checkpoint.get("sharpness").doubleValue()).isEqualTo(3);
    assertThat(checkpoint.get("sharpnessLimit").doubleValue()).isEqualTo(2 / 0.5);
    assertThat(checkpoint.get("classicEdgeRatio").doubleValue()).isEqualTo(0.5 * 3 / 2);
    assertThat(checkpoint.get("edgeRatio").doubleValue()).isEqualTo(0.5 / 0.4);
    assertThat(checkpoint.get("verdict").textValue()).isEqualTo("UNSTABLE");
    assertThat(checkpoint.get("advice").textValue()).contains("0.35", "batch size to 8");
    assertThat(checkpoint.get("step").textValue())
        .contains("learning rate 0.5", "the iterator was not asked");
    assertThat(checkpoint.has("meanSquareIndex")).isFalse();
  }

  @Test
  void aBoundHasNoValue() throws IOException {
    StabilityUpdate update = StabilityUpdate.of("s", 1, Checkpoints.bounded("r", 1, -3e-9, 1));
    JsonNode checkpoint = Json.parse(update.encode()).get("checkpoint");

    assertThat(checkpoint.has("exponent")).isFalse();
    assertThat(checkpoint.has("exponentError")).isFalse();
    assertThat(checkpoint.get("exponentLow").doubleValue()).isEqualTo(-3e-9);
    assertThat(checkpoint.get("exponentHigh").doubleValue()).isZero();
    assertThat(checkpoint.get("exponentText").textValue()).isEqualTo("between -3.0e-09 and 0");
    assertThat(checkpoint.has("gdExponent")).isFalse();
    assertThat(checkpoint.get("gdExponentLow").doubleValue()).isEqualTo(-3e-9);
    assertThat(checkpoint.get("edgeRatioLow").doubleValue()).isEqualTo(0.5 / 0.9);
    assertThat(checkpoint.get("edgeRatioHigh").doubleValue()).isEqualTo(0.5 / 0.7);
    assertThat(checkpoint.get("classicGauge").textValue()).isEqualTo("η·sharpness/2");
  }

  @Test
  void whatIsNoNumberIsNeverZero() throws IOException {
    StabilityUpdate update =
        StabilityUpdate.of("s", 1, Checkpoints.of("r", 1, Double.NEGATIVE_INFINITY, 1, Double.NaN));
    JsonNode checkpoint = Json.parse(update.encode()).get("checkpoint");

    assertThat(checkpoint.get("loss").isNull()).isTrue();
    assertThat(checkpoint.get("exponent").textValue()).isEqualTo("-Infinity");
    assertSame(decoded(update.encode()), update);
  }

  @Test
  void theWorkerIsTheRunInCharactersThatEveryStorageKeeps() {
    assertThat(UPDATE.getWorkerID()).isEqualTo("a+%22run%22+%23+1+%40%40%40+%C3%BC");
    assertThat(StabilityUpdate.start("s", "run-1", 0).getWorkerID()).isEqualTo("run-1");
  }

  @Test
  void anotherVersionIsRefused() {
    assertThatThrownBy(() -> decoded("{\"version\":2,\"session\":\"s\",\"run\":\"r\",\"time\":1}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("version 1 to 1, got 2");
    assertThatThrownBy(() -> decoded("{\"session\":\"s\",\"run\":\"r\",\"time\":1}"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void whatIsNoUpdateIsRefused() {
    assertThatThrownBy(() -> decoded("{\"version\":1,\"run\":\"r\"}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("session");
    assertThatThrownBy(() -> decoded("{\"version\":")).isInstanceOf(UncheckedIOException.class);
    assertThatThrownBy(() -> decoded("")).isInstanceOf(IllegalArgumentException.class);
  }

  private static StabilityUpdate decoded(String json) {
    return decoded(json.getBytes(StandardCharsets.UTF_8));
  }

  private static StabilityUpdate decoded(byte[] bytes) {
    StabilityUpdate update = new StabilityUpdate();
    update.decode(bytes);
    return update;
  }

  private static void assertSame(StabilityUpdate actual, StabilityUpdate expected) {
    assertThat(actual.getSessionID()).isEqualTo(expected.getSessionID());
    assertThat(actual.getTypeID()).isEqualTo(expected.getTypeID());
    assertThat(actual.getWorkerID()).isEqualTo(expected.getWorkerID());
    assertThat(actual.getTimeStamp()).isEqualTo(expected.getTimeStamp());
    assertThat(actual.run()).isEqualTo(expected.run());
    assertThat(actual.checkpoint()).isEqualTo(expected.checkpoint());
    assertThat(actual.status()).isEqualTo(expected.status());
  }
}
