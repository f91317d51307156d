"""The Kafka cluster as the command line sees it: its topics, its log read from outside, whether it
answers."""
