"""The plug-ins that give the tests what they need, one concern per file."""

pytest_plugins = [
    "pytester",
    "tests.fixtures.servers",
    "tests.fixtures.documents",
    "tests.fixtures.project",
    "tests.fixtures.lifecycle",
    "tests.fixtures.properties",
    "tests.fixtures.filling",
    "tests.fixtures.standby",
    "tests.fixtures.monitoring",
    "tests.fixtures.http_server",
    "tests.fixtures.clouds",
    "tests.fixtures.shop",
]
