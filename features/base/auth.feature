@auth
Feature: Authorization
  A server that asks for a key asks everybody, for everything that costs or tells.

  Scenario: The right key is let in
    When I ask "What is the capital of France?"
    Then the request succeeds
    And the reply mentions "Paris"

  @W158
  Scenario: Without a key nothing is answered
    Given no API key is sent
    When I ask "What is the capital of France?"
    Then the status is 401
    And the error has a message

  @W158
  Scenario: A wrong key opens nothing
    Given the API key "this-is-not-the-key"
    When I ask "What is the capital of France?"
    Then the status is one of 401, 403
    And the error has a message

  Scenario: A key under another scheme opens nothing
    Given no API key is sent
    And the header "authorization" is "Basic dXNlcjpwYXNzd29yZA=="
    When I ask "What is the capital of France?"
    Then the status is 401

  Scenario: A wrong key is refused before a stream begins
    Given replies are streamed
    And the API key "this-is-not-the-key"
    When I ask "What is the capital of France?"
    Then the request is refused
    And the response is not a stream

  @W158
  Scenario: The list of models is not shown to strangers
    Given no API key is sent
    When I list the models
    Then the status is 401
    And the error has a message

  Scenario: After a stranger the owner is served
    Given the API key "this-is-not-the-key"
    When I ask "What is the capital of France?"
    Then the request is refused
    And the server is still up

  @metrics
  Scenario: The figures of the server are not shown to strangers
    Given no API key is sent
    When I get "/metrics"
    Then the status is one of 401, 403

  Scenario: A page from elsewhere is not let in by its name
    Given the header "origin" is "https://elsewhere.example"
    When I list the models
    Then the request succeeds
    And the header "access-control-allow-origin" does not mention "elsewhere"
