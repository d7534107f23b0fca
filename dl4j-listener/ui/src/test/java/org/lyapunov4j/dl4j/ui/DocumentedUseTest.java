// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.ui.api.UIServer;
import org.deeplearning4j.ui.model.storage.FileStatsStorage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The code of docs/ui.md, run. */
class DocumentedUseTest {
  private final DataSet probe =
      new DataSet(
          Nd4j.linspace(DataType.DOUBLE, -1, 0.11, 18).reshape(6, 3),
          Nd4j.linspace(DataType.DOUBLE, 1, -0.13, 12).reshape(6, 2));

  @BeforeEach
  void anyPort() {
    System.setProperty("org.deeplearning4j.ui.port", "0");
  }

  @AfterEach
  void stop() throws Exception {
    System.clearProperty("org.deeplearning4j.ui.port");
    UIServer.stopInstance();
  }

  @Test
  void liveAndAfterwards(@TempDir Path folder) throws Exception {
    MultiLayerNetwork network = network();
    File file = folder.resolve("stats.db").toFile();

    // snippet: ui
    UIServer ui = LoopbackUI.start(); // or UIServer.getInstance(), on every network interface
    StatsStorage storage = new FileStatsStorage(file); // or new InMemoryStatsStorage()
    ui.attach(storage);
    LyapunovListener listener =
        LyapunovListener.builder(probe).frequency(10).to(new StabilityPublisher(storage)).build();
    network.addListeners(listener);
    // end
    for (int i = 0; i < 21; i++) {
      network.fit(probe);
    }
    listener.close();
    assertThat(listener.failures()).isZero();
    ui.detach(storage);
    storage.close();

    // snippet: ui-afterwards
    UIServer.getInstance().attach(new FileStatsStorage(file));
    // end

    try (Ui asked = new Ui()) {
      assertThat(asked.checkpoints(asked.runs().get(0), -1).get("checkpoints")).hasSize(3);
      assertThat(asked.runs().get(0).at("/status/state").textValue()).isEqualTo("CLOSED");
    }
  }

  private static MultiLayerNetwork network() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(1)
                .dataType(DataType.DOUBLE)
                .updater(new Sgd(0.05))
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(2)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    return network;
  }
}
