"""The playground: a GAN on points in the plane, trained in memory step by step, to be watched."""
