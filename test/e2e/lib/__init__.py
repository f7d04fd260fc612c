"""What the end-to-end tests use to look at a cluster, its brokers and its proxies.

kubectl     run kubectl; read, apply and delete objects; run commands in pods
clusters    small RabbitClusters, and what their status says
installed   the installed operator: its log, its lease, a restart
wait        wait for something to become true, with a message that says what was missing
management  the brokers' management API
amqp        publish with confirms and consume, through a failing network
haproxy     the proxies' statistics
processes   stop and kill the processes of a container
audit       who wrote what to the API server
logs        collect everything about a namespace after a failure
"""
