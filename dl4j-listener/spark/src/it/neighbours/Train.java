// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.lyapunov4j.dl4j.LyapunovListener;
import org.lyapunov4j.dl4j.record.RecordSink;
import org.lyapunov4j.dl4j.record.RunRecord;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Trains with the listener, which logs and keeps a record. */
final class Train {
  private Train() {}

  static void run(Path record) throws Exception {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .updater(new Sgd(0.01))
                .list()
                .layer(
                    new OutputLayer.Builder(LossFunction.MSE)
                        .nIn(3)
                        .nOut(1)
                        .activation(Activation.IDENTITY)
                        .build())
                .build());
    network.init();
    DataSet data = new DataSet(Nd4j.rand(8, 3), Nd4j.rand(8, 1));
    try (LyapunovListener listener =
        LyapunovListener.builder(data).frequency(1).to(RecordSink.at(record)).build()) {
      network.setListeners(listener);
      network.fit(data);
      network.fit(data);
    }
    System.out.println("CHECKPOINTS " + RunRecord.read(record).checkpoints().size());
  }
}
